package rp_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/loginunico/loginunico/cmd/demo-rp/rp"
	"github.com/loginunico/loginunico/deploy/demo"
	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
	"github.com/loginunico/loginunico/registry/staff"
)

// staffService runs the demo's service for employees, by its own manifest.
func staffService(t *testing.T) (city *idptest.City, base string) {
	t.Helper()
	const id = "gestao-atendimento"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	city = idptest.Start(t, []string{string(bytes.ReplaceAll(demo.Services()[id], []byte("http://localhost:8090"), []byte(base)))})
	services, err := rp.DemoServices()
	if err != nil {
		t.Fatal(err)
	}
	services = slices.DeleteFunc(services, func(s rp.Service) bool { return s.ID != id })
	services[0].Secret = idptest.Secret(id)
	sample, err := rp.New(rp.Config{Issuer: city.Issuer, BaseURL: base, Services: services})
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: sample}}
	server.Start()
	t.Cleanup(server.Close)
	return city, base
}

// TestAnAttendantBecomesOneByASecondFactor is Carla's first day: a password does not make her an
// attendant, so she adds an app, and the service learns her roles until she is dismissed.
func TestAnAttendantBecomesOneByASecondFactor(t *testing.T) {
	t.Parallel()

	city, base := staffService(t)
	carla := city.Person("168.995.350-09", 4, map[string]string{"name": "Carla Mendes", "email": "carla@example.org"})
	city.Person("529.982.247-25", 4, map[string]string{"name": "Maria Aparecida da Silva", "email": "maria@example.org"})
	city.Employ(staff.Appointment{Person: carla, Department: "Secretaria da Saúde", Roles: []staff.Role{staff.Attendant}})
	b := testbrowser.New(t, testbrowser.Lang("pt-BR"))
	look := func() {
		t.Helper()
		b.Axe()
		b.NoOverflow(320)
	}
	enter := func(cpf string) {
		b.Open(base + "/gestao-atendimento/login")
		b.Fill("cpf", cpf)
		b.Submit("continue")
		b.Fill("password", idptest.Password)
		b.Submit("continue")
	}

	enter("529.982.247-25")
	b.See("Este serviço é para servidores da cidade")
	look()
	b.Submit("other")
	b.Fill("cpf", "168.995.350-09")
	b.Submit("continue")
	b.Fill("password", idptest.Password)
	b.Submit("continue")
	b.See("Este serviço é para quem trabalha na cidade")
	b.See("Quem atende vê os dados de muitas pessoas")
	look()
	b.Follow("#stronger")
	b.See("Sua conta ainda não tem biometria")
	look()
	b.Follow("#security")
	b.Submit("to-app")
	b.Fill("name", "Celular")
	b.Submit("continue")
	secret := strings.ReplaceAll(b.Text("#secret"), " ", "")
	code := func() string {
		t.Helper()
		code, err := totp.GenerateCode(secret, city.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	b.Fill("code", code())
	b.Submit("continue")

	b.Open(base + "/gestao-atendimento/login")
	b.See("Este serviço é para quem trabalha na cidade")
	b.Follow("#stronger")
	city.Advance(30 * time.Second) // the next code: each works once
	b.Fill("code", code())
	b.Submit("continue")
	b.See("Saber o que você pode fazer aqui")
	b.See("Atendente")
	b.See("Secretaria da Saúde")
	look()
	b.Submit("allow")
	b.See(`"roles": [`)
	b.See(`"attendant"`)
	b.See(`"department": "Secretaria da Saúde"`)

	b.Open(city.Issuer + "/conta")
	b.See("Você também é servidor")
	b.See("Gestão do Atendimento")
	look()

	city.Dismiss(carla)
	b.Open(base + "/gestao-atendimento")
	b.Follow(`form[action="/gestao-atendimento/userinfo"] button`)
	b.See("Carla Mendes")
	if info := b.Text("details pre"); strings.Contains(info, "roles") || strings.Contains(info, "department") {
		t.Errorf("after the dismissal userinfo says %s", info)
	}
	b.Open(city.Issuer + "/conta")
	b.DontSee("Você também é servidor")
}
