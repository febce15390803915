package certauth

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/loginunico/loginunico/internal/brdoc"
)

// Holder is whom a certificate stands for. A company's stands for the person who answers for it, who is
// the one that signs in.
type Holder struct {
	CPF       brdoc.CPF
	Name      string // of the person; "" where the certificate has none that can be read
	BirthDate string // YYYY-MM-DD; "" where it has none
	Company   *Company
	Profile   string // such as "e-CPF A3", "e-CNPJ A1"
}

// Company is the legal entity of an e-CNPJ.
type Company struct {
	CNPJ brdoc.CNPJ
	Name string
}

// The arcs under 2.16.76.1.2: what a certificate is for. DOC-ICP-04; 201 and above by Resolução CG
// ICP-Brasil 211/2024 and by what live authorities list.
var (
	signing      = map[uint64]string{1: "A1", 2: "A2", 3: "A3", 4: "A4"}
	seals        = []uint64{201, 202}
	ofMachines   = []uint64{301, 302, 303, 304, 401, 402, 500, 550}
	confidential = []uint64{101, 102, 103, 104}
)

// HolderOf says whose a certificate is. Verify its chain first: a certificate says of itself whatever
// who signed it wanted.
//
// The number comes from the otherNames of ICP-Brasil or, by the profile of 2024, from the Subject's
// serialNumber; where both are there they must agree. The CN is never asked for a number.
//
// Errors: NotPersonal, IsSeal, NotForSigning, BadNumber, Unreadable.
func HolderOf(c *x509.Certificate) (Holder, error) {
	policy, err := policyOf(c)
	if err != nil {
		return Holder{}, err
	}
	names, err := otherNamesOf(c)
	if err != nil {
		return Holder{}, err
	}
	serial, err := serialNumberOf(c)
	if err != nil {
		return Holder{}, err
	}
	if len(c.DNSNames) > 0 && len(names) == 0 && serial == "" {
		return Holder{}, NotPersonal.because("a host's")
	}
	_, cnpj := names[arcCNPJ]
	_, responsible := names[arcOfCompany]
	if _, person := names[arcPerson]; (cnpj || responsible) && person {
		return Holder{}, BadNumber.because("a person and a company at once")
	}
	if cnpj || responsible {
		return companyHolder(c, names, serial, "e-CNPJ "+policy)
	}
	return personHolder(c, names, serial, "e-CPF "+policy)
}

// policyOf is the signature policy, A1 to A4, of a certificate whose key may sign a handshake.
//
// Key usage (RFC 5280 §4.2.1.3) must be there and allow digitalSignature. Extended key usage
// (§4.2.1.12) may be absent; where it is there, one of clientAuth, emailProtection and any is needed:
// DOC-ICP-04 guarantees no more, so clientAuth alone would shut people out.
func policyOf(c *x509.Certificate) (string, error) {
	if c.IsCA { // before the policy: old tables call 201 an authority's
		return "", NotPersonal.because("an authority's")
	}
	policy := ""
	for _, arc := range policyArcs(c) {
		switch {
		case slices.Contains(seals, arc):
			return "", IsSeal
		case slices.Contains(ofMachines, arc):
			return "", NotPersonal.because("policy 2.16.76.1.2.%d", arc)
		case slices.Contains(confidential, arc):
			return "", NotForSigning.because("policy 2.16.76.1.2.%d", arc)
		}
		if name := signing[arc]; name > policy {
			policy = name
		}
	}
	onlyServer := len(c.ExtKeyUsage) > 0 && !slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool { return u != x509.ExtKeyUsageServerAuth })
	switch {
	case onlyServer:
		return "", NotPersonal.because("for servers alone")
	case policy == "":
		return "", NotForSigning.because("no signature policy of ICP-Brasil")
	case c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "", NotForSigning.because("key usage without digitalSignature")
	case len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.ContainsFunc(c.ExtKeyUsage, shows):
		return "", NotForSigning.because("extended key usage without clientAuth and emailProtection")
	}
	return policy, nil
}

func shows(u x509.ExtKeyUsage) bool {
	return u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageAny
}

// policyArcs are the x of every policy 2.16.76.1.2.x.n.
func policyArcs(c *x509.Certificate) (arcs []uint64) {
	for _, p := range c.PolicyIdentifiers {
		if len(p) >= 6 && p[:5].Equal(asn1.ObjectIdentifier{2, 16, 76, 1, 2}) && p[5] >= 0 {
			arcs = append(arcs, uint64(p[5]))
		}
	}
	return arcs
}

// serialNumberOf is the Subject's serialNumber, 2.5.4.5; "" when there is none.
func serialNumberOf(c *x509.Certificate) (serial string, err error) {
	for _, a := range c.Subject.Names {
		if !a.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 5}) {
			continue
		}
		text, ok := a.Value.(string)
		if !ok || serial != "" || text == "" {
			return "", Unreadable.because("serialNumber of the subject")
		}
		serial = text
	}
	return serial, nil
}

func personHolder(c *x509.Certificate, names otherNames, serial, profile string) (Holder, error) {
	h := Holder{Profile: profile, Name: commonName(c)}
	if field, ok := names[arcPerson]; ok {
		var err error
		if h.CPF, h.BirthDate, err = personField(field, c.NotBefore); err != nil {
			return Holder{}, err
		}
	}
	if serial == "" {
		if h.CPF == "" {
			return Holder{}, BadNumber.because("none")
		}
		return h, nil
	}
	if _, err := brdoc.ParseCNPJ(serial); err == nil && len(serial) == 14 && h.CPF == "" {
		return Holder{}, IsSeal.because("a company's, without a person")
	}
	cpf, err := exactCPF(serial)
	switch {
	case err != nil:
		return Holder{}, err
	case h.CPF != "" && h.CPF != cpf:
		return Holder{}, BadNumber.because("otherName and serialNumber differ")
	}
	h.CPF = cpf
	return h, nil
}

func companyHolder(c *x509.Certificate, names otherNames, serial, profile string) (Holder, error) {
	field, ok := names[arcOfCompany]
	if !ok {
		return Holder{}, IsSeal.because("a company's, without a person")
	}
	h := Holder{Profile: profile, Name: names.text(arcResponsible), Company: &Company{Name: names.text(arcCompanyName)}}
	var err error
	if h.CPF, h.BirthDate, err = personField(field, c.NotBefore); err != nil {
		return Holder{}, err
	}
	number := string(names[arcCNPJ])
	if h.Company.CNPJ, err = brdoc.ParseCNPJ(number); err != nil || len(number) != 14 {
		return Holder{}, BadNumber.because("CNPJ")
	}
	if serial != "" && serial != h.Company.CNPJ.Text() && serial != h.CPF.Digits() {
		return Holder{}, BadNumber.because("otherName and serialNumber differ")
	}
	if h.Company.Name == "" {
		h.Company.Name = commonName(c)
	}
	return h, nil
}

// What the field 2.16.76.1.3.1 or .3.4 begins with: birth date ddmmaaaa and CPF. NIS, RG and its
// issuer follow, 45 to 55 positions in all, and are not read.
const (
	birthEnds = 8
	cpfEnds   = 19
)

// personField reads the two numbers that matter. issued bounds the birth date.
func personField(field []byte, issued time.Time) (cpf brdoc.CPF, birth string, err error) {
	if len(field) < cpfEnds {
		return "", "", BadNumber.because("the field of the person is too short")
	}
	if cpf, err = exactCPF(string(field[birthEnds:cpfEnds])); err != nil {
		return "", "", err
	}
	day, err := time.Parse("02012006", string(field[:birthEnds]))
	if err != nil || day.Year() < 1850 || day.After(issued) {
		return cpf, "", nil // zeros, or a slip of who typed it: the CPF stands
	}
	return cpf, day.Format(time.DateOnly), nil
}

// exactCPF takes eleven digits and nothing else.
func exactCPF(text string) (brdoc.CPF, error) {
	cpf, err := brdoc.ParseCPF(text)
	if err != nil || cpf.Digits() != text {
		return "", BadNumber.because("CPF")
	}
	return cpf, nil
}

// commonName is the name in the CN, which authorities write as NAME or NAME:NUMBER.
func commonName(c *x509.Certificate) string {
	name, _, _ := strings.Cut(c.Subject.CommonName, ":")
	return legible(name)
}

const longestName = 200 // runes

// legible is a name as text, or "" where it could be none.
func legible(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if len([]rune(name)) > longestName || strings.ContainsFunc(name, odd) {
		return ""
	}
	return name
}
