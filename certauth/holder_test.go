package certauth_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/certauth"
	"github.com/loginunico/loginunico/certauth/icptest"
)

const (
	cpf, otherCPF = "52998224725", "11144477735"
	cnpj          = "12ABC34501DE35"
)

// person is an e-CPF with one thing changed.
func person(change func(*icptest.Profile)) icptest.Profile {
	p := icptest.ECPF("MARIA APARECIDA DA SILVA", cpf)
	change(&p)
	return p
}

func field(p *icptest.Profile, arc int) *icptest.OtherName {
	for i := range p.Names {
		if p.Names[i].Arc == arc {
			return &p.Names[i]
		}
	}
	panic("no such field")
}

func TestAHolderIsFoundInEveryLayout(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	maria := certauth.Holder{CPF: cpf, Name: "MARIA APARECIDA DA SILVA", BirthDate: "1980-01-01", Profile: "e-CPF A1"}
	of := func(change func(*certauth.Holder)) certauth.Holder { h := maria; change(&h); return h }
	inc := icptest.ECNPJ("PADARIA VILA LTDA", cnpj, "MARIA APARECIDA DA SILVA", cpf)
	company := of(func(h *certauth.Holder) { h.Profile = "e-CNPJ A1" })

	cases := map[string]struct {
		profile icptest.Profile
		want    certauth.Holder
	}{
		"DOC-ICP-04 OCTET STRING, 50 positions": {icptest.ECPF(maria.Name, cpf), maria},
		"45 positions, RG zero": {person(func(p *icptest.Profile) {
			field(p, icptest.Person).Value = icptest.PersonField("01011980", cpf, "", "", "")
		}), maria},
		"55 positions": {person(func(p *icptest.Profile) {
			field(p, icptest.Person).Value = icptest.PersonField("01011980", cpf, "", "1", "BrasiliaDF")
		}), maria},
		"nothing but birth date and CPF": {person(func(p *icptest.Profile) { field(p, icptest.Person).Value = "01011980" + cpf }), maria},
		"rfc822Name last":                {person(func(p *icptest.Profile) { p.MailLast = true }), maria},
		"no mail":                        {person(func(p *icptest.Profile) { p.Mail = "" }), maria},
		"birth date zero": {person(func(p *icptest.Profile) {
			field(p, icptest.Person).Value = icptest.PersonField("00000000", cpf, "", "", "")
		}), of(func(h *certauth.Holder) { h.BirthDate = "" })},
		"birth date that is none": {person(func(p *icptest.Profile) {
			field(p, icptest.Person).Value = icptest.PersonField("31021980", cpf, "", "", "")
		}), of(func(h *certauth.Holder) { h.BirthDate = "" })},
		"birth date to come": {person(func(p *icptest.Profile) {
			field(p, icptest.Person).Value = icptest.PersonField("01012980", cpf, "", "", "")
		}), of(func(h *certauth.Holder) { h.BirthDate = "" })},
		"another CPF in the CN":            {person(func(p *icptest.Profile) { p.CN = maria.Name + ":" + otherCPF }), maria},
		"Resolução 211/2024: serialNumber": {icptest.NewECPF(maria.Name, cpf), certauth.Holder{CPF: cpf, Name: maria.Name, Profile: "e-CPF A3"}},
		"both, and they agree":             {person(func(p *icptest.Profile) { p.SerialNumber = cpf }), maria},
		"in the cloud":                     {icptest.CloudECPF(maria.Name, cpf), of(func(h *certauth.Holder) { h.Profile = "e-CPF A3" })},
		"emailProtection alone":            {person(func(p *icptest.Profile) { p.Extended = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }), maria},
		"no extended key usage":            {person(func(p *icptest.Profile) { p.Extended = nil }), maria},
		"e-CNPJ, alphanumeric": {inc, func() certauth.Holder {
			h := company
			h.Company = &certauth.Company{CNPJ: cnpj, Name: "PADARIA VILA LTDA"}
			return h
		}()},
		"e-CNPJ, numeric": {icptest.ECNPJ("PADARIA VILA LTDA", "11222333000181", maria.Name, cpf), func() certauth.Holder {
			h := company
			h.Company = &certauth.Company{CNPJ: "11222333000181", Name: "PADARIA VILA LTDA"}
			return h
		}()},
		"e-CNPJ with its CNPJ as serialNumber": {func() icptest.Profile { p := inc; p.SerialNumber = cnpj; return p }(), func() certauth.Holder {
			h := company
			h.Company = &certauth.Company{CNPJ: cnpj, Name: "PADARIA VILA LTDA"}
			return h
		}()},
		"a name in ISO 8859-1": {icptest.ECNPJ("PADARIA S\xc3O JO\xc3O", cnpj, maria.Name, cpf), func() certauth.Holder {
			h := company
			h.Company = &certauth.Company{CNPJ: cnpj, Name: "PADARIA SÃO JOÃO"}
			return h
		}()},
	}
	for _, tag := range []int{asn1.TagOctetString, asn1.TagPrintableString, asn1.TagUTF8String, asn1.TagIA5String} {
		cases["string type "+string(rune('0'+tag/10))+string(rune('0'+tag%10))] = struct {
			profile icptest.Profile
			want    certauth.Holder
		}{person(func(p *icptest.Profile) { field(p, icptest.Person).Tag = tag }), maria}
	}
	for name, c := range cases {
		if strings.Contains(c.profile.CN, "\xc3") {
			c.profile.CN = "PADARIA:" + cnpj // a subject must be UTF-8
		}
		got, err := certauth.HolderOf(pki.Issue(c.profile).Cert)
		if err != nil || got.CPF != c.want.CPF || got.Name != c.want.Name || got.BirthDate != c.want.BirthDate || got.Profile != c.want.Profile ||
			(got.Company == nil) != (c.want.Company == nil) || got.Company != nil && *got.Company != *c.want.Company {
			t.Errorf("%s: %v (%+v), %v", name, got, got.Company, err)
		}
	}
}

func TestWhatStandsForNobodySaysWhy(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	raw := func(b ...byte) func(*icptest.Profile) {
		return func(p *icptest.Profile) { field(p, icptest.Person).Raw = b }
	}
	value := func(text string) func(*icptest.Profile) {
		return func(p *icptest.Profile) { field(p, icptest.Person).Value = text }
	}
	inc := icptest.ECNPJ("PADARIA VILA LTDA", cnpj, "MARIA", cpf)
	without := func(p icptest.Profile, arc int) icptest.Profile {
		var kept []icptest.OtherName
		for _, n := range p.Names {
			if n.Arc != arc {
				kept = append(kept, n)
			}
		}
		p.Names = kept
		return p
	}
	for name, c := range map[string]struct {
		profile icptest.Profile
		want    certauth.Reason
	}{
		"Resolução 211/2024 SE-S":                 {icptest.Seal("PADARIA", cnpj, icptest.SES), certauth.IsSeal},
		"Resolução 211/2024 SE-H":                 {icptest.Seal("PADARIA", cnpj, icptest.SEH), certauth.IsSeal},
		"a seal with a responsible":               {func() icptest.Profile { p := inc; p.Policies = []int{icptest.SES}; return p }(), certauth.IsSeal},
		"a company of nobody":                     {without(inc, icptest.OfCompany), certauth.IsSeal},
		"a company by serialNumber alone":         {icptest.NewECPF("PADARIA", cnpj), certauth.IsSeal},
		"equipment AE-S":                          {icptest.Equipment("www.example.org", icptest.AES), certauth.NotPersonal},
		"equipment AE-H":                          {icptest.Equipment("www.example.org", icptest.AEH), certauth.NotPersonal},
		"a web server":                            {icptest.SSL("www.example.org"), certauth.NotPersonal},
		"a web server that may be a client":       {func() icptest.Profile { p := icptest.Equipment("www.example.org", icptest.A1); return p }(), certauth.NotPersonal},
		"time stamps":                             {person(func(p *icptest.Profile) { p.Policies = []int{icptest.T3} }), certauth.NotPersonal},
		"CA:TRUE":                                 {person(func(p *icptest.Profile) { p.CA = true; p.Usage |= x509.KeyUsageCertSign }), certauth.NotPersonal},
		"no policy":                               {person(func(p *icptest.Profile) { p.Policies = nil }), certauth.NotForSigning},
		"confidentiality S1":                      {person(func(p *icptest.Profile) { p.Policies = []int{icptest.S1} }), certauth.NotForSigning},
		"A1 and a seal's policy":                  {person(func(p *icptest.Profile) { p.Policies = []int{icptest.A1, icptest.SES} }), certauth.IsSeal},
		"key usage without digitalSignature":      {person(func(p *icptest.Profile) { p.Usage = x509.KeyUsageKeyEncipherment }), certauth.NotForSigning},
		"no key usage":                            {person(func(p *icptest.Profile) { p.Usage = 0 }), certauth.NotForSigning},
		"extended key usage of code signing":      {person(func(p *icptest.Profile) { p.Extended = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), certauth.NotForSigning},
		"serialNumber of another CPF":             {person(func(p *icptest.Profile) { p.SerialNumber = otherCPF }), certauth.BadNumber},
		"serialNumber that is no number":          {person(func(p *icptest.Profile) { p.SerialNumber = "123" }), certauth.BadNumber},
		"serialNumber with dots":                  {icptest.NewECPF("MARIA", "529.982.247-25"), certauth.BadNumber},
		"CPF with wrong check digits":             {icptest.ECPF("MARIA", "52998224724"), certauth.BadNumber},
		"CPF zero":                                {icptest.ECPF("JOHN", "00000000000"), certauth.BadNumber},
		"CPF in the CN alone":                     {without(icptest.ECPF("MARIA", cpf), icptest.Person), certauth.BadNumber},
		"too short for a CPF":                     {person(value("0101198052998224725"[:18])), certauth.BadNumber},
		"empty":                                   {person(value("")), certauth.BadNumber},
		"CNPJ with wrong check digits":            {icptest.ECNPJ("PADARIA", "12ABC34501DE36", "MARIA", cpf), certauth.BadNumber},
		"CNPJ in lower case letters is none":      {icptest.ECNPJ("PADARIA", "12abc34501de3", "MARIA", cpf), certauth.BadNumber},
		"responsible of a company without number": {without(inc, icptest.CNPJ), certauth.BadNumber},
		"responsible with a false CPF":            {icptest.ECNPJ("PADARIA", cnpj, "MARIA", "52998224724"), certauth.BadNumber},
		"company with serialNumber of another":    {func() icptest.Profile { p := inc; p.SerialNumber = "11222333000181"; return p }(), certauth.BadNumber},
		"a person and a company": {person(func(p *icptest.Profile) {
			p.Names = append(p.Names, icptest.OtherName{Arc: icptest.CNPJ, Value: cnpj, Tag: asn1.TagOctetString})
		}), certauth.BadNumber},
		"two persons":              {person(func(p *icptest.Profile) { p.Names = append(p.Names, p.Names[0]) }), certauth.Unreadable},
		"BIT STRING":               {person(raw(0x03, 0x02, 0x00, 0x30)), certauth.Unreadable},
		"constructed OCTET STRING": {person(raw(0x24, 0x00)), certauth.Unreadable},
		"a length beyond the end":  {person(raw(0x04, 0x7f, 0x30)), certauth.Unreadable},
		"more behind the value":    {person(raw(0x04, 0x01, 0x30, 0x05, 0x00)), certauth.Unreadable},
		"nothing inside":           {person(func(p *icptest.Profile) { field(p, icptest.Person).Raw = []byte{} }), certauth.Unreadable},
		"longer than any":          {person(value(strings.Repeat("0", 513))), certauth.Unreadable},
	} {
		_, err := certauth.HolderOf(pki.Issue(c.profile).Cert)
		if got, _ := certauth.ReasonOf(err); got != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), cpf[:9]) || strings.Contains(err.Error(), "MARIA")) {
			t.Errorf("%s: the error tells who: %v", name, err)
		}
	}
}

// revocations answers by serial number; what it does not know is good.
type revocations map[string]error

func (r revocations) Check(_ context.Context, chain []*x509.Certificate) error {
	if len(chain) < 2 {
		return errors.New("no issuer")
	}
	return r[chain[0].SerialNumber.String()]
}

func TestRevocationIsAskedLastAndItsSilenceRefuses(t *testing.T) {
	t.Parallel()

	pki := icptest.Must(icptest.New(icptest.Options{}))
	good, bad, dark := pki.Issue(icptest.ECPF("MARIA", cpf)), pki.Issue(icptest.ECPF("MARIA", cpf)), pki.Issue(icptest.ECPF("MARIA", cpf))
	v := &certauth.Verifier{From: source{set(t, pki)}, Now: func() time.Time { return pki.Now },
		Revocation: revocations{bad.Cert.SerialNumber.String(): certauth.Revoked, dark.Cert.SerialNumber.String(): certauth.Unchecked}}
	proof, err := v.Verify(t.Context(), good.Cert)
	if err != nil || proof.Holder.CPF != cpf || len(proof.Chain) != 4 || !proof.Chain[3].Equal(pki.Root.Cert) {
		t.Errorf("%+v, %v", proof, err)
	}
	if id := certauth.IdentityOf(proof.Chain); len(id.IssuerKey) != 32 || id.SerialText() != hex.EncodeToString(good.Cert.SerialNumber.Bytes()) {
		t.Errorf("%+v", id)
	}
	for want, leaf := range map[certauth.Reason]*icptest.Leaf{certauth.Revoked: bad, certauth.Unchecked: dark} {
		if _, err := v.Verify(t.Context(), leaf.Cert); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	v.Revocation = nil
	if _, err := v.Verify(t.Context(), good.Cert); !errors.Is(err, certauth.Unchecked) {
		t.Errorf("nobody to ask: %v", err)
	}
	if chain, err := v.Chain(t.Context(), good.Cert); len(chain) != 4 || !errors.Is(err, certauth.Unchecked) {
		t.Errorf("chain alone: %d, %v", len(chain), err)
	}
}

// source is a set that stays.
type source struct{ set *certauth.Authorities }

func (s source) Authorities() *certauth.Authorities { return s.set }

// A certificate says whatever its signer wrote. Seeds are the byte layouts of real samples.
func FuzzHolder(f *testing.F) {
	ecpf := "a03d0605604c010303a0340432" + hex.EncodeToString([]byte("01011980"+otherCPF+strings.Repeat("0", 11)+"000000123456789SSPSP"))
	for _, seed := range []string{
		"303f" + strings.Replace(ecpf, "604c010303", "604c010301", 1),
		"301ba0190605604c010303a010130e3132414243333435303144453335",
		"30058103614062", "3080", "3000", "",
	} {
		raw, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, cpf)
	}
	f.Add([]byte{0x30, 0x00}, cnpj)
	pki := icptest.Must(icptest.New(icptest.Options{}))
	base := pki.Issue(icptest.ECPF("MARIA", cpf)).Cert
	f.Fuzz(func(t *testing.T, san []byte, serial string) {
		c := *base
		c.Extensions = nil
		for _, e := range base.Extensions {
			if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
				e.Value = san
			}
			c.Extensions = append(c.Extensions, e)
		}
		c.Subject.Names = append(c.Subject.Names[:len(c.Subject.Names):len(c.Subject.Names)], pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: serial})
		h, err := certauth.HolderOf(&c)
		if err != nil {
			if _, ok := certauth.ReasonOf(err); !ok {
				t.Errorf("no reason: %v", err)
			}
			return
		}
		if _, err := hex.DecodeString(h.CPF.Digits() + "0"); err != nil || len(h.CPF.Digits()) != 11 {
			t.Errorf("CPF %q", h.CPF.Digits())
		}
		if serial != "" && serial != h.CPF.Digits() && (h.Company == nil || serial != h.Company.CNPJ.Text()) {
			t.Errorf("serialNumber %q and the holder differ", serial)
		}
	})
}
