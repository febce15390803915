package icptest

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Policies: arcs under 2.16.76.1.2, each with an authority's number after it.
const (
	A1  = 1
	A3  = 3
	S1  = 101
	SES = 201 // selo eletrônico, software
	SEH = 202 // selo eletrônico, hardware
	T3  = 303
	AES = 401 // equipment
	AEH = 402
)

// Object identifiers of the otherNames, 2.16.76.1.3.x, by their last arc.
const (
	Person      = 1 // birth date, CPF, NIS, RG of the holder
	Responsible = 2 // name of who answers for the company
	CNPJ        = 3
	OfCompany   = 4 // as Person, of who answers for the company
	Voter       = 5
	CEIPerson   = 6
	CEICompany  = 7
	CompanyName = 8
)

// OtherName is one otherName of the subject alternative name.
type OtherName struct {
	Arc   int // x of 2.16.76.1.3.x
	Value string
	Tag   int // asn1.Tag…: OCTET STRING, PrintableString, UTF8String or IA5String
	// Raw replaces the whole content of the [0] EXPLICIT value, for what no tag can say.
	Raw []byte
}

// Profile is what a certificate is to say.
type Profile struct {
	CN, SerialNumber    string // of the subject
	Units               []string
	Policies            []int // arcs under 2.16.76.1.2
	Names               []OtherName
	Mail                string
	MailLast            bool // rfc822Name behind the otherNames
	Hosts               []string
	CriticalSAN         bool
	CA                  bool
	Usage               x509.KeyUsage
	Extended            []x509.ExtKeyUsage
	NotBefore, NotAfter time.Time // zero: around Options.Now
	Serial              *big.Int  // nil: random
	CRL, OCSP           []string  // nil: the hierarchy's
}

var personUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment

var personExtended = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}

// PersonField is the value of 2.16.76.1.3.1 and .3.4. Numbers are padded by zeros, a missing rg
// takes its issuer with it: 45 positions, else up to 55.
//
//	birth  ddmmaaaa
func PersonField(birth, cpf, nis, rg, issuer string) string {
	head := fmt.Sprintf("%08s%011s%011s%015s", birth, cpf, nis, rg)
	head = strings.ReplaceAll(head, " ", "0")
	if rg == "" {
		return head
	}
	return head + issuer
}

// ECPF is a person's certificate in the layout of before 2024.
func ECPF(name, cpf string) Profile {
	return Profile{CN: name + ":" + cpf, Units: []string{"AC Vila Teste RFB v5", "00000000000191", "presencial", "RFB e-CPF A1", "(EM BRANCO)"},
		Policies: []int{A1}, Mail: "pessoa@example.org", Usage: personUsage, Extended: personExtended,
		Names: []OtherName{
			{Arc: Person, Value: PersonField("01011980", cpf, "", "123456789", "SSPSP"), Tag: asn1.TagOctetString},
			{Arc: Voter, Value: strings.Repeat("0", 19), Tag: asn1.TagOctetString},
			{Arc: CEIPerson, Value: strings.Repeat("0", 12), Tag: asn1.TagOctetString}}}
}

// NewECPF is a person's certificate of Resolução 211/2024: A3, the CPF in the subject, no otherName.
func NewECPF(name, cpf string) Profile {
	return Profile{CN: name, SerialNumber: cpf, Units: []string{"AC Vila Teste v12", "videoconferencia"},
		Policies: []int{A3}, Mail: "pessoa@example.org", Usage: personUsage, Extended: personExtended}
}

// CloudECPF is a person's certificate that a trust service provider keeps: an A3 like any other.
func CloudECPF(name, cpf string) Profile {
	p := ECPF(name, cpf)
	p.Policies, p.Units = []int{A3}, []string{"AC Vila Teste RFB v5", "00000000000191", "videoconferencia", "Pessoa Fisica A3"}
	return p
}

// ECNPJ is a company's certificate, with the person who answers for it.
func ECNPJ(company, cnpj, name, cpf string) Profile {
	return Profile{CN: company + ":" + cnpj, Units: []string{"AC Vila Teste RFB v5", "00000000000191", "presencial", "RFB e-CNPJ A1"},
		Policies: []int{A1}, Mail: "empresa@example.org", MailLast: true, Usage: personUsage, Extended: personExtended,
		Names: []OtherName{
			{Arc: CompanyName, Value: company, Tag: asn1.TagOctetString},
			{Arc: Responsible, Value: name, Tag: asn1.TagOctetString},
			{Arc: CNPJ, Value: cnpj, Tag: asn1.TagOctetString},
			{Arc: OfCompany, Value: PersonField("01011980", cpf, "", "", ""), Tag: asn1.TagOctetString},
			{Arc: CEICompany, Value: strings.Repeat("0", 12), Tag: asn1.TagOctetString}}}
}

// Seal is a company's electronic seal, which stands for no person: policy SES or SEH.
func Seal(company, cnpj string, policy int) Profile {
	return Profile{CN: company, SerialNumber: cnpj, Policies: []int{policy}, Usage: personUsage, Extended: personExtended,
		Names: []OtherName{{Arc: CNPJ, Value: cnpj, Tag: asn1.TagPrintableString}}}
}

// Equipment is a machine's certificate: policy AES or AEH.
func Equipment(host string, policy int) Profile {
	return Profile{CN: host, Policies: []int{policy}, Hosts: []string{host}, Usage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		Extended: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
}

// SSL is a web server's certificate in the layout of before equipment had policies: A1.
func SSL(host string) Profile {
	return Profile{CN: host, Policies: []int{A1}, Hosts: []string{host}, Usage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		Extended: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
}

func (p Profile) template(pki *PKI) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: p.Serial,
		Subject: pkix.Name{Country: []string{"BR"}, Organization: []string{"ICP-Brasil"}, OrganizationalUnit: p.Units, CommonName: p.CN,
			SerialNumber: p.SerialNumber},
		NotBefore: p.NotBefore, NotAfter: p.NotAfter, KeyUsage: p.Usage, ExtKeyUsage: p.Extended,
		BasicConstraintsValid: true, IsCA: p.CA, CRLDistributionPoints: p.CRL, OCSPServer: p.OCSP}
	if t.SerialNumber == nil {
		t.SerialNumber = Serial()
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = pki.Now.AddDate(0, -1, 0)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = pki.Now.AddDate(0, 11, 0)
	}
	if p.CRL == nil {
		t.CRLDistributionPoints = pki.CRL
	}
	if p.OCSP == nil {
		t.OCSPServer = pki.OCSP
	}
	for _, arc := range p.Policies {
		t.Policies = append(t.Policies, Must(x509.OIDFromInts([]uint64{2, 16, 76, 1, 2, uint64(arc), 999})))
	}
	if san := p.san(); san != nil {
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: p.CriticalSAN, Value: san}}
	}
	return t
}

// san is RFC 5280 §4.2.1.6, written by hand since crypto/x509 writes no otherName.
func (p Profile) san() []byte {
	var names []byte
	mail := func() {
		if p.Mail != "" {
			names = append(names, Must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, Bytes: []byte(p.Mail)}))...)
		}
	}
	if !p.MailLast {
		mail()
	}
	for _, n := range p.Names {
		names = append(names, n.der()...)
	}
	for _, host := range p.Hosts {
		names = append(names, Must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(host)}))...)
	}
	if p.MailLast {
		mail()
	}
	if names == nil {
		return nil
	}
	return Must(asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: names}))
}

func (n OtherName) der() []byte {
	content := n.Raw
	if content == nil {
		content = Must(asn1.Marshal(asn1.RawValue{Tag: n.Tag, Bytes: []byte(n.Value)}))
	}
	id := Must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 76, 1, 3, n.Arc}))
	value := Must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}))
	return Must(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(id, value...)}))
}
