package idptest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// App is an authenticator app that a person has confirmed.
type App struct {
	city   *City
	secret string
	Codes  []string // the recovery codes that came with it
}

// App gives a person an authenticator app and its recovery codes.
func (c *City) App(person uuid.UUID) *App {
	c.t.Helper()
	ctx := c.t.Context()
	throttle := factor.NewThrottle(c.DB, nil, c.Box, factor.DefaultLimits, c.Now)
	apps := factor.NewAuthenticators(c.Box, throttle, "Vila Esperança", c.Now)
	setup := must(apps.Enrol(ctx, c.DB, person, "conta", "Celular"))(c.t)
	a := &App{city: c, secret: strings.ReplaceAll(setup.Secret, " ", "")}
	if !must(apps.Confirm(ctx, c.DB, person, setup.ID, a.Code()))(c.t) {
		c.t.Fatal("the app's own code did not confirm it")
	}
	a.Codes = must(factor.RenewCodes(ctx, c.DB, person, c.Now()))(c.t)
	used.add(a.Codes...)
	return a
}

// Code is what the app shows now. The one that confirmed it is used up: advance the clock first.
func (a *App) Code() string {
	a.city.t.Helper()
	code := must(totp.GenerateCode(a.secret, a.city.Now()))(a.city.t)
	used.add(code)
	return code
}

// Next waits, on the city's clock, for a code that was not used, and returns it.
func (a *App) Next() string {
	a.city.t.Helper()
	a.city.Advance(30 * time.Second)
	return a.Code()
}

// Device is an authenticator in software, made by others, with one passkey of a person.
type Device struct {
	city *City
	vw.Authenticator
	key vw.Credential
}

// Device gives a person a passkey. verifies says whether it asks for biometrics or a PIN.
func (c *City) Device(person uuid.UUID, verifies bool) *Device {
	c.t.Helper()
	ctx := c.t.Context()
	rp := c.relyingParty()
	keys := must(factor.NewPasskeys(factor.RelyingParty{ID: rp.ID, Name: rp.Name, Origins: []string{rp.Origin}}, c.Now))(c.t)
	d := &Device{city: c, Authenticator: vw.NewAuthenticatorWithOptions(vw.AuthenticatorOptions{UserNotVerified: !verifies}), key: newKey()}
	browser := secret.Hash("the browser of a device")
	options := must(keys.BeginRegistration(ctx, c.DB, browser, person, "conta", "Pessoa"))(c.t)
	var parsed = must(vw.ParseAttestationOptions(string(options)))(c.t)
	made := []byte(vw.CreateAttestationResponse(rp, vw.NewAuthenticator(), d.key, *parsed))
	must(keys.FinishRegistration(ctx, c.DB, browser, person, "Celular", made))(c.t)
	d.AddCredential(d.key)
	if err := c.DB.QueryRow(ctx, `SELECT handle FROM webauthn_user WHERE person_id = $1`, person).Scan(&d.Options.UserHandle); err != nil {
		c.t.Fatal(err)
	}
	return d
}

// Count is what the device will count from.
func (d *Device) Count(n uint32) { d.key.Counter = n }

// MoveTo gives the passkey to a device of a real browser.
func (d *Device) MoveTo(a *testbrowser.Authenticator) {
	a.Hold("localhost", d.key.ID, d.key.Key.Data, d.Options.UserHandle)
}

// newKey is an ES256 key. The library leaves leading zeros of a coordinate away, which RFC 9053 §7.1.1
// does not allow and one key of 128 shows.
func newKey() vw.Credential {
	for {
		if key := vw.NewCredential(vw.KeyTypeEC2); len(key.Key.AttestationData()) == 77 {
			return key
		}
	}
}

func (c *City) relyingParty() vw.RelyingParty {
	return vw.RelyingParty{ID: "localhost", Name: "Vila Esperança", Origin: c.Issuer}
}

// Answer is what the device answers to the options of a sign-in.
func (d *Device) Answer(t testing.TB, options string) string {
	t.Helper()
	if !json.Valid([]byte(options)) {
		t.Fatalf("no options: %s", options)
	}
	parsed := must(vw.ParseAssertionOptions(options))(t)
	return vw.CreateAssertionResponse(d.city.relyingParty(), d.Authenticator, d.key, *parsed)
}
