package trust

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ev(k Kind, verified, expires, revoked time.Duration) Evidence {
	at := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return noon.Add(d)
	}
	return Evidence{Kind: k, VerifiedAt: at(verified), ExpiresAt: at(expires), RevokedAt: at(revoked)}
}

func TestLevelIsTheHighestLiveKind(t *testing.T) {
	const day = 24 * time.Hour
	cases := map[string]struct {
		evidence []Evidence
		level    int
		until    time.Duration // 0: never
	}{
		"nothing":                    {nil, 0, 0},
		"self declared":              {[]Evidence{ev(SelfDeclared, -day, 0, 0)}, 1, 0},
		"gov.br":                     {[]Evidence{ev(SelfDeclared, -day, 0, 0), ev(GovBR, -day, day, 0)}, 2, day},
		"registry match":             {[]Evidence{ev(GovBR, -day, day, 0), ev(RegistryMatch, -day, 0, 0)}, 3, 0},
		"biometrics":                 {[]Evidence{ev(BiometricEnrollment, -day, 3*day, 0), ev(RegistryMatch, -day, 0, 0)}, 4, 3 * day},
		"certificate":                {[]Evidence{ev(ICPCertificate, -day, 2*day, 0), ev(BiometricEnrollment, -day, 0, 0)}, 5, 2 * day},
		"expired falls back":         {[]Evidence{ev(ICPCertificate, -2*day, -day, 0), ev(GovBR, -day, day, 0)}, 2, day},
		"expires this instant":       {[]Evidence{{Kind: GovBR, VerifiedAt: noon.Add(-day), ExpiresAt: noon}}, 0, 0},
		"revoked falls back":         {[]Evidence{ev(BiometricEnrollment, -2*day, 0, -day), ev(SelfDeclared, -day, 0, 0)}, 1, 0},
		"revoked tomorrow":           {[]Evidence{ev(BiometricEnrollment, -2*day, 0, day)}, 4, 0},
		"not verified yet":           {[]Evidence{ev(ICPCertificate, day, 0, 0), ev(SelfDeclared, -day, 0, 0)}, 1, 0},
		"the longer of two":          {[]Evidence{ev(GovBR, -day, day, 0), ev(GovBR, -day, 2*day, 0)}, 2, 2 * day},
		"one without end":            {[]Evidence{ev(GovBR, -day, day, 0), ev(GovBR, -day, 0, 0)}, 2, 0},
		"one without end comes 1st":  {[]Evidence{ev(GovBR, -day, 0, 0), ev(GovBR, -day, day, 0)}, 2, 0},
		"an unknown kind is nothing": {[]Evidence{ev("horoscope", -day, 0, 0)}, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Assess(c.evidence, noon)
			until := time.Duration(0)
			if !got.Until.IsZero() {
				until = got.Until.Sub(noon)
			}
			if got.Level != c.level || until != c.until {
				t.Fatalf("level %d until %v, want %d until %v", got.Level, until, c.level, c.until)
			}
		})
	}
}

func TestLevelOfAPastDayIgnoresWhatCameLater(t *testing.T) {
	evidence := []Evidence{ev(SelfDeclared, -72*time.Hour, 0, 0), ev(BiometricEnrollment, -48*time.Hour, 0, -24*time.Hour)}
	for ago, want := range map[time.Duration]int{96 * time.Hour: 0, 60 * time.Hour: 1, 36 * time.Hour: 4, 12 * time.Hour: 1} {
		if got := Level(evidence, noon.Add(-ago)); got != want {
			t.Errorf("%v ago: level %d, want %d", ago, got, want)
		}
	}
}

func TestSessionCapsOfTheContract(t *testing.T) {
	caps, err := ParseCaps(DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name  string
		facts []string
		cap   int
	}{
		{"nothing", nil, 1},
		{"code by SMS", []string{"sms"}, 1},
		{"code by mail", []string{"otp"}, 1},
		{"password", []string{"pwd"}, 3},
		{"password recovered by mail", []string{"pwd", "recovered"}, 1},
		{"gov.br", []string{"govbr"}, 3},
		{"gov.br with its second factor", []string{"govbr", "mfa"}, 4},
		{"gov.br gold", []string{"govbr", "gold"}, 4},
		{"passkey with user verification", []string{"hwk", "user", "mfa"}, 4},
		{"passkey without user verification", []string{"hwk", "user"}, 1},
		{"password and TOTP", []string{"pwd", "otp", "mfa"}, 4},
		{"certificate", []string{"x509"}, 5},
		{"certificate in a recovered session", []string{"x509", "recovered"}, 1},
	}
	for _, c := range cases {
		if got := caps.Of(c.facts); got != c.cap {
			t.Errorf("%s: cap %d, want %d", c.name, got, c.cap)
		}
	}
	if acr := ACR(5, caps.Of([]string{"pwd"})); acr != "urn:loginunico:nivel:3" {
		t.Errorf("level 5 by password is %s", acr)
	}
	if acr := ACR(1, caps.Of([]string{"x509"})); acr != "urn:loginunico:nivel:1" {
		t.Errorf("level 1 by certificate is %s", acr)
	}
}

func TestCapsTableRefusesNonsense(t *testing.T) {
	for _, s := range []string{"", "pwd", "pwd=", "pwd=0", "pwd=6", "=3", "pwd=x", "pwd=3,,"} {
		if _, err := ParseCaps(s); err == nil {
			t.Errorf("%q accepted", s)
		}
	}
}

func TestACRRoundTrip(t *testing.T) {
	for i, v := range ACRValues() {
		if n, ok := ParseACR(v); !ok || n != i+1 {
			t.Errorf("%s reads as %d %v", v, n, ok)
		}
	}
	for _, v := range []string{"", "urn:loginunico:nivel:0", "urn:loginunico:nivel:6", "urn:loginunico:nivel:33", "urn:mace:incommon:iap:silver"} {
		if _, ok := ParseACR(v); ok {
			t.Errorf("%q accepted", v)
		}
	}
}
