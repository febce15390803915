package idp_test

import (
	"net/http"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
	"github.com/loginunico/loginunico/internal/testbrowser"
)

func TestADeviceSignsInInABrowser(t *testing.T) {
	t.Parallel()

	for lang, words := range map[string]struct{ entry, refused, consent string }{
		"pt-BR": {"Entrar com biometria ou PIN do aparelho", "O aparelho não confirmou", "Colocar seu nome na barraca"},
		"es":    {"Entrar con biometría o PIN del dispositivo", "El dispositivo no confirmó", "Poner su nombre"},
		"en":    {"Sign in with the device's biometrics or PIN", "The device did not confirm", "Put your name on the stall"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			city := idptest.Start(t, []string{s.manifest})
			b := testbrowser.New(t, testbrowser.Lang(lang))
			device := b.Authenticator(true)
			city.Device(city.Person(maria, 3, mariaFields()), true).MoveTo(device)
			_, start := s.request(city)
			b.Open(start)
			b.See(words.entry)
			sound(b)
			device.Refuse(true)
			b.Click("passkey")
			b.See(words.refused)
			sound(b)
			device.Refuse(false)
			b.Click("passkey")
			b.See(words.consent)
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
		})
	}
}

func TestTheCodeAfterThePasswordInABrowser(t *testing.T) {
	t.Parallel()

	for lang, words := range map[string]struct{ code, consent string }{
		"pt-BR": {"Falta o código", "Colocar seu nome na barraca"},
		"es":    {"Falta el código", "Poner su nombre"},
		"en":    {"One code more", "Put your name on the stall"},
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			city := idptest.Start(t, []string{s.manifest})
			person := city.Person(maria, 3, mariaFields())
			app := city.App(person)
			b := testbrowser.New(t, testbrowser.Lang(lang))
			city.Device(person, true).MoveTo(b.Authenticator(true))
			_, start := s.request(city)
			b.Open(start)
			b.Fill("cpf", maria)
			b.Submit("continue")
			sound(b)
			b.Fill("password", idptest.Password)
			b.Submit("continue")
			b.See(words.code)
			sound(b)
			b.Fill("code", "123")
			if status := b.Submit("continue"); status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", status)
			}
			sound(b)
			b.Fill("code", app.Next())
			b.Submit("continue")
			b.See(words.consent)
			b.Click("allow")
			b.AwaitURL(s.URL + "/cb")
		})
	}
}
