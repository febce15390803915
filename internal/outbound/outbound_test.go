package outbound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/loginunico/loginunico/internal/outbound"
)

func TestOnlyPublicAddressesArePublic(t *testing.T) {
	t.Parallel()

	for address, public := range map[string]bool{"200.198.213.1": true, "2801:80::1": true, "127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false,
		"192.168.0.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fd00::1": false, "::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false} {
		if got := outbound.Public(netip.MustParseAddr(address)); got != public {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestThisMachineIsReachedOnlyWhereItIsAllowedAndByRedirectNeither(t *testing.T) {
	t.Parallel()

	reached := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer server.Close()

	_, err := outbound.NewClient(outbound.Settings{Timeout: 5 * time.Second}).Get(server.URL)
	if !errors.Is(err, outbound.ErrPrivate) || reached != 0 {
		t.Errorf("%v, reached %d times", err, reached)
	}
	_, err = outbound.NewClient(outbound.Settings{Timeout: 5 * time.Second}).Get("http://localhost:" + server.URL[len("http://127.0.0.1:"):])
	if !errors.Is(err, outbound.ErrPrivate) {
		t.Errorf("by its name: %v", err)
	}
	res, err := outbound.NewClient(outbound.Settings{Timeout: 5 * time.Second, Redirects: 3, Private: true}).Get(server.URL)
	if err != nil || res.StatusCode != http.StatusFound || reached != 4 {
		t.Errorf("%v, reached %d times", err, reached)
	}
}
