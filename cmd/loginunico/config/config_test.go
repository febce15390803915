package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
)

// set clears every setting of ours and makes these.
func set(t *testing.T, settings map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "LOGINUNICO_") {
			t.Setenv(name, "") // remembers the value for after the test
			os.Unsetenv(name)
		}
	}
	for name, value := range settings {
		t.Setenv("LOGINUNICO_"+name, value)
	}
}

// production are settings that serve accepts.
func production(t *testing.T) map[string]string {
	t.Helper()
	kek := filepath.Join(t.TempDir(), "kek")
	if err := os.WriteFile(kek, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"ISSUER": "https://login.example.org", "DATABASE_URL": "postgres://db/loginunico",
		"SMTP_URL": "smtp://mail.example.org:587?tls=starttls", "KEK_FILE": kek}
}

func TestTheDemoNeedsNoSettings(t *testing.T) {
	set(t, nil)
	c, err := config.Load(true)
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "http://localhost:8080" || c.Listen != "127.0.0.1:8080" || c.Secure() || c.KEKFile != filepath.Join(".data", "kek") {
		t.Errorf("%+v", c)
	}
	if c.SMS.URL != "" || !c.TextCountries["UY"] || len(c.TextLimits) == 0 {
		t.Errorf("texts: %+v, %d countries, %v", c.SMS, len(c.TextCountries), c.TextLimits)
	}
	if c.Caps.Of([]string{"pwd"}) != 3 {
		t.Errorf("caps %v", c.Caps)
	}
}

func TestProductionTakesWhatACitySets(t *testing.T) {
	settings := production(t)
	settings["ISSUER"] += "/"
	settings["TRUSTED_PROXIES"] = "10.0.0.0/8, 2001:db8::/32"
	secret := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(secret, []byte("postgres://from-a-file/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["DATABASE_URL_FILE"] = secret
	set(t, settings)
	c, err := config.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "https://login.example.org" || !c.Secure() || len(c.TrustedProxies) != 2 || c.DatabaseURL != "postgres://from-a-file/x" {
		t.Errorf("%+v", c)
	}
}

func TestProductionRefusesWhatOnlyADemoMayHave(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"ISSUER", "http://login.example.org", "LOGINUNICO_ISSUER: must be https"},
		{"ISSUER", "http://localhost:8080", "LOGINUNICO_ISSUER: must be https"},
		{"DATABASE_URL", "", "LOGINUNICO_DATABASE_URL: is missing"},
		{"SMTP_URL", "", "LOGINUNICO_SMTP_URL: is missing"},
		{"KEK_FILE", "/nowhere/kek", "LOGINUNICO_KEK_FILE: "},
	} {
		settings := production(t)
		settings[tc.name] = tc.value
		set(t, settings)
		if _, err := config.Load(false); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s=%q: %v", tc.name, tc.value, err)
		}
	}
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	set(t, map[string]string{"ISSUER": "login.example.org/path?x", "TLS_CERT": "cert.pem", "LISTEN": "8080",
		"METRICS_LISTEN": "127.0.0.1:8090", "DATABASE_CONNS": "1", "SESSION_CAPS": "pwd:9", "EVIDENCE_LIFETIMES": "govbr=soon", "LEVEL_WARNING_DAYS": "400", "TRUSTED_PROXIES": "10.0.0.1,everyone",
		"SMTP_URL_FILE": "/nowhere/smtp", "KEK_FILE": "/nowhere/kek", "BREACHED_PASSWORDS": "config_test.go"})
	_, err := config.Load(false)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"ISSUER", "TLS_CERT", "LISTEN", "DEMO_RP_LISTEN", "DATABASE_CONNS", "SESSION_CAPS", "EVIDENCE_LIFETIMES", "LEVEL_WARNING_DAYS", "TRUSTED_PROXIES",
		"SMTP_URL_FILE", "SMTP_URL", "DATABASE_URL", "KEK_FILE", "BREACHED_PASSWORDS"} {
		if !strings.Contains(err.Error(), "LOGINUNICO_"+name+": ") {
			t.Errorf("LOGINUNICO_%s is not named in:\n%v", name, err)
		}
	}
	if n := strings.Count(err.Error(), "LOGINUNICO_TRUSTED_PROXIES"); n != 2 {
		t.Errorf("%d of 2 wrong proxies are named", n)
	}
}

func TestEverySettingThatDoesNotParseIsNamedWithTheRest(t *testing.T) {
	set(t, map[string]string{"DATABASE_CONNS": "many", "SHUTDOWN_GRACE": "soon", "LOG_LEVEL": "LOUD", "ISSUER": "nowhere"})
	_, err := config.Load(false)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"DATABASE_CONNS", "SHUTDOWN_GRACE", "LOG_LEVEL", "ISSUER", "DATABASE_URL"} {
		if !strings.Contains(err.Error(), "LOGINUNICO_"+name+": ") {
			t.Errorf("LOGINUNICO_%s is not named in:\n%v", name, err)
		}
	}
}

func TestCityMayBeRegisteredAtGovBR(t *testing.T) {
	settings := production(t)
	set(t, settings)
	if c, err := config.Load(false); err != nil || c.GovBR.On() {
		t.Errorf("without: %v %+v", err, c.GovBR)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("segredo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["GOVBR_ISSUER"], settings["GOVBR_CLIENT_ID"] = "https://sso.staging.acesso.gov.br/", "cidade.gov.br"
	settings["GOVBR_CLIENT_SECRET_FILE"], settings["GOVBR_SCOPES"] = secret, "openid,profile"
	set(t, settings)
	c, err := config.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	if c.GovBR.Secret != "segredo" || c.GovBR.RedirectURI != "https://login.example.org/entrar/govbr/retorno" ||
		c.GovBR.LogoutURI != "https://login.example.org/sair/pronto" || len(c.GovBR.Scopes) != 2 {
		t.Errorf("%+v", c.GovBR)
	}
	for want, change := range map[string][2]string{"stand-in": {"GOVBR_ISSUER", "http://localhost:8081"}, "not https": {"GOVBR_ISSUER", "http://sso.acesso.gov.br"},
		"other settings of gov.br": {"GOVBR_ISSUER", ""}, "client id": {"GOVBR_CLIENT_ID", ""}, "lack openid": {"GOVBR_SCOPES", "profile"}} {
		wrong := maps.Clone(settings)
		wrong[change[0]] = change[1]
		set(t, wrong)
		if _, err := config.Load(false); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "LOGINUNICO_GOVBR_ISSUER") {
			t.Errorf("%v: %v, want %q", change, err, want)
		}
	}
}

func TestCityMayHaveACarrierOfTexts(t *testing.T) {
	settings := production(t)
	set(t, settings)
	c, err := config.Load(false)
	if err != nil || c.SMS.URL != "" || !c.TextCountries["BR"] || len(c.TextCountries) != 1 || len(c.TextLimits) == 0 {
		t.Errorf("without one: %+v, %v", c.SMS, err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a-secret-of-twenty-four-characters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings["SMS_URL"], settings["SMS_PROVIDER"], settings["SMS_FROM"] = "https://:token@api.zenvia.com", "zenvia", "CIDADE"
	settings["SMS_WEBHOOK_SECRET_FILE"], settings["SMS_COUNTRIES"], settings["SMS_LIMITS"] = secret, "BR,AR,UY", "number=3/h"
	set(t, settings)
	c, err = config.Load(false)
	if err != nil || c.SMS.WebhookSecret != "a-secret-of-twenty-four-characters" || c.SMS.Issuer != "https://login.example.org" || len(c.TextCountries) != 3 {
		t.Errorf("%+v, %v", c.SMS, err)
	}
}

func TestWrongCarriersOfTextsAreNamed(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"SMS_URL", "smpp://city:hunter22@smsc?tls=maybe", "LOGINUNICO_SMS_URL: tls="},
		{"SMS_URL", "https://:hunter22@api.zenvia.com", "LOGINUNICO_SMS_URL: an https URL needs a provider"},
		{"SMS_FROM", "CIDADE", "LOGINUNICO_SMS_URL: is missing"},
		{"SMS_COUNTRIES", "Brasil", "LOGINUNICO_SMS_COUNTRIES: "},
		{"SMS_LIMITS", "number=many", "LOGINUNICO_SMS_LIMITS: "},
		{"SMS_URL_FILE", "/nowhere", "LOGINUNICO_SMS_URL_FILE: "},
	} {
		settings := production(t)
		settings[tc.name] = tc.value
		set(t, settings)
		if _, err := config.Load(false); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s=%q: %v", tc.name, tc.value, err)
		}
	}
}

func TestSecretsAreNotInErrors(t *testing.T) {
	settings := production(t)
	settings["DATABASE_URL"] = "postgres://user:hunter22@db/x"
	settings["SMTP_URL"] = "smtp://user:hunter22@mail"
	settings["DATABASE_CONNS"], settings["LISTEN"] = "0", "x"
	set(t, settings)
	if _, err := config.Load(false); err == nil || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsWrongWithCertificatesInTheCloudIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nuvem.yaml")
	if err := os.WriteFile(file, []byte("providers:\n  - {id: x, name: X, base: http://localhost:1/v0, client_id: a, client_secret_file: nowhere}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := production(t)
	settings["CERT_CLOUD"], settings["CERT_REVOCATION_STALE"] = file, "200h"
	set(t, settings)
	_, err := config.Load(false)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"CERT_REVOCATION_STALE: 200h0m0s", "CERT_LISTEN: is missing", "CERT_CLOUD: ", "nowhere", "stand-in"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in:\n%v", want, err)
		}
	}
}
