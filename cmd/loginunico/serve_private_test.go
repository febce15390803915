package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestLoadsAreShownOnThePrivateListenerWithoutAnybodysData(t *testing.T) {
	t.Parallel()

	s := demoCity(t)
	private := s.privateHandler(prometheus.NewRegistry())
	get := func(path string) (int, string) {
		res := httptest.NewRecorder()
		private.ServeHTTP(res, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return res.Code, res.Body.String()
	}
	code, list := get("/loads")
	link := regexp.MustCompile(`href="(/loads/[0-9a-f-]{36})">Vila Esperança<`).FindStringSubmatch(list)
	if code != http.StatusOK || link == nil {
		t.Fatalf("%d\n%s", code, list)
	}
	code, page := get(link[1])
	if code != http.StatusOK || !strings.Contains(page, "<h2>What the registry made of them</h2>") {
		t.Errorf("%d\n%s", code, page)
	}
	for _, p := range demoPeople() {
		for _, private := range []string{p.cpf.Digits(), p.cpf.Formatted(), p.fields["name"], p.fields["email"]} {
			if strings.Contains(page, private) || strings.Contains(list, private) {
				t.Errorf("%q is shown", private)
			}
		}
	}
	for _, path := range []string{"/loads/nothing", "/loads/01a20109-d05b-77aa-a184-843b70d02a31", "/"} {
		if code, _ := get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	s.db.Close()
	if code, page := get("/loads"); code != http.StatusInternalServerError || strings.Contains(page, "closed pool") {
		t.Errorf("without a database: %d %s", code, page)
	}
}
