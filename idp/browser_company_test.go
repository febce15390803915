package idp_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/cmd/demo-rp/rp"
	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

// sample runs the demo's sample service at a city of its own that registered one of its manifests.
func sample(t *testing.T, id string, opts ...idptest.Option) (city *idptest.City, base string) {
	t.Helper()
	var mu sync.Mutex
	var app http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := app
		mu.Unlock()
		now.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	city = idptest.Start(t, []string{strings.ReplaceAll(string(demo.Services()[id]), "http://localhost:8090", server.URL)}, opts...)
	services, err := rp.DemoServices()
	if err != nil {
		t.Fatal(err)
	}
	services = slices.DeleteFunc(services, func(s rp.Service) bool { return s.ID != id })
	services[0].Secret = idptest.Secret(id)
	handler, err := rp.New(rp.Config{Issuer: city.Issuer, BaseURL: server.URL, Services: services})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	app = handler
	mu.Unlock()
	return city, server.URL
}

func TestACitizenChoosesACompanyOfGovBRAndTheSampleServiceShowsIt(t *testing.T) {
	t.Parallel()

	_, base := sample(t, "empresa-nota", idptest.WithGovBR())
	b := testbrowser.New(t)
	b.Open(base + "/empresa-nota/login")
	b.Submit("govbr")
	b.Submit("person-39053344705")
	b.Submit("deny")
	b.See("Você não autorizou no gov.br")
	b.Submit("govbr")
	b.Submit("allow")
	b.See("Em nome de qual empresa?")
	sound(b)
	b.Shot("company-choose", 360)
	b.Shot("company-choose", 1280)
	wrongly(t, b, true)
	sound(b)
	b.Shot("company-wrong", 360)
	b.Click("company-12ABC34501DE35")
	b.Submit("continue")
	b.See("PADARIA DA VILA LTDA")
	b.See("Contador ou contadora")
	sound(b)
	b.Shot("company-consent", 360)
	b.Shot("company-consent", 1280)
	b.Submit("company") // back to the list, and the other one
	b.See("FERREIRA DOCES LTDA")
	b.Click("company-11222333000181")
	b.Submit("continue")
	b.See("11.222.333/0001-81")
	b.DontSee("PADARIA")
	b.Click("allow")
	b.AwaitURL(base + "/empresa-nota")
	b.See(`"cnpj": "11222333000181"`)
	b.See(`"company_name": "FERREIRA DOCES LTDA"`)
	b.DontSee("company_role") // not ticked

	stranger := testbrowser.New(t, testbrowser.NoJS(), testbrowser.Lang("en"))
	stranger.Open(base + "/?lang=en")
	stranger.Open(base + "/empresa-nota/login")
	stranger.Submit("govbr")
	agree(stranger, "71428793860")
	stranger.See("This service is for companies")
	stranger.See("no company is linked to your account now")
	stranger.NoOverflow(320)
	stranger.Shot("company-none", 360)
	stranger.Shot("company-none", 1280)
	stranger.Click("leave")
	stranger.AwaitURL(base + "/empresa-nota/callback")
	stranger.See("access_denied")

	scriptless := testbrowser.New(t, testbrowser.NoJS())
	scriptless.Open(base + "/empresa-nota/login")
	scriptless.Submit("govbr")
	agree(scriptless, "39053344705")
	scriptless.See("Em nome de qual empresa?")
	scriptless.Click("company-12ABC34501DE35")
	scriptless.Click("continue") // what the service sees of a company was decided before
	scriptless.AwaitURL(base + "/empresa-nota")
	scriptless.See(`"company_name": "PADARIA DA VILA LTDA"`)
	scriptless.DontSee("company_role")
}
