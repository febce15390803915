package certauth

import (
	"crypto/x509"
	"encoding/asn1"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The otherNames read, by the last arc of 2.16.76.1.3.x. DOC-ICP-04 §7.1.2.3
const (
	arcPerson      = 1
	arcResponsible = 2
	arcCNPJ        = 3
	arcOfCompany   = 4
	arcCompanyName = 8
)

// What a subject alternative name may have; real ones have seven names in 300 bytes.
const (
	mostSAN   = 8 << 10
	mostNames = 64
	mostValue = 512
)

// otherNames are the values of ICP-Brasil, by arc.
type otherNames map[int][]byte

// otherNamesOf reads the otherNames of a certificate. Error: Unreadable.
func otherNamesOf(c *x509.Certificate) (otherNames, error) {
	for _, e := range c.Extensions { // crypto/x509 refuses an extension twice
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			return parseOtherNames(e.Value)
		}
	}
	return nil, nil
}

// parseOtherNames reads a SubjectAltName in DER. RFC 5280 §4.2.1.6:
//
//	OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }
//
// Names of other kinds and of other arcs are passed over; one of these twice is refused.
func parseOtherNames(der []byte) (otherNames, error) {
	in := cryptobyte.String(der)
	var all cryptobyte.String
	if len(der) > mostSAN || !in.ReadASN1(&all, casn1.SEQUENCE) || !in.Empty() {
		return nil, Unreadable.because("subject alternative name")
	}
	names := otherNames{}
	for n := 0; !all.Empty(); n++ {
		var one cryptobyte.String
		var tag casn1.Tag
		if n >= mostNames || !all.ReadAnyASN1(&one, &tag) {
			return nil, Unreadable.because("subject alternative name")
		}
		if tag != casn1.Tag(0).ContextSpecific().Constructed() {
			continue
		}
		if err := names.read(one); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (names otherNames) read(one cryptobyte.String) error {
	var id asn1.ObjectIdentifier
	if !one.ReadASN1ObjectIdentifier(&id) {
		return Unreadable.because("otherName")
	}
	if len(id) != 6 || !id[:5].Equal(asn1.ObjectIdentifier{2, 16, 76, 1, 3}) {
		return nil
	}
	switch id[5] {
	case arcPerson, arcResponsible, arcCNPJ, arcOfCompany, arcCompanyName:
	default:
		return nil
	}
	var wrapped, value cryptobyte.String
	var tag casn1.Tag
	if !one.ReadASN1(&wrapped, casn1.Tag(0).ContextSpecific().Constructed()) || !one.Empty() ||
		!wrapped.ReadAnyASN1(&value, &tag) || !wrapped.Empty() || !isText(tag) || len(value) > mostValue {
		return Unreadable.because("otherName 2.16.76.1.3.%d", id[5])
	}
	if _, twice := names[id[5]]; twice {
		return Unreadable.because("otherName 2.16.76.1.3.%d twice", id[5])
	}
	names[id[5]] = value
	return nil
}

// isText: the norm has OCTET STRING and PrintableString; generators write the others too.
func isText(tag casn1.Tag) bool {
	return tag == casn1.OCTET_STRING || tag == casn1.PrintableString || tag == casn1.UTF8String || tag == casn1.IA5String
}

// text is a name, which old certificates have in ISO 8859-1; "" where there is none.
func (names otherNames) text(arc int) string {
	raw := names[arc]
	if utf8.Valid(raw) {
		return legible(string(raw))
	}
	latin := make([]rune, len(raw))
	for i, b := range raw {
		latin[i] = rune(b)
	}
	return legible(string(latin))
}
