package revocation

import (
	"encoding/asn1"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func unknownExtension(critical bool) error {
	if critical {
		return ErrScope
	}
	return nil
}

// eachExtension reads Extensions; one that comes twice is malformed (RFC 5280 §4.2).
func eachExtension(list cryptobyte.String, each func(asn1.ObjectIdentifier, bool, cryptobyte.String) error) error {
	var seen []string
	for !list.Empty() {
		var one, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return malformed("an extension does not read")
		}
		if name := oid.String(); slices.Contains(seen, name) {
			return malformed("an extension comes twice")
		} else if seen = append(seen, name); len(seen) > 32 {
			return malformed("too many extensions")
		}
		if err := each(oid, critical, value); err != nil {
			return err
		}
	}
	return nil
}

// extensions reads those of the list. RFC 5280 §5.2
func (p *reader) extensions(tail []byte) error {
	in := cryptobyte.String(tail)
	var explicit, list cryptobyte.String
	if !in.ReadASN1(&explicit, cbasn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1(&list, cbasn1.SEQUENCE) || !explicit.Empty() {
		return malformed("its extensions do not read")
	}
	err := eachExtension(list, func(oid asn1.ObjectIdentifier, critical bool, value cryptobyte.String) error {
		switch {
		case oid.Equal(oidNumber):
			p.crl.Number = new(big.Int)
			if !value.ReadASN1Integer(p.crl.Number) || !value.Empty() || p.crl.Number.Sign() < 0 || p.crl.Number.BitLen() > 160 {
				return malformed("its number does not read")
			}
			return nil
		case oid.Equal(oidIDP):
			return p.distribution(value)
		case oid.Equal(oidDelta): // a delta by itself says nothing of the rest (§5.2.4)
			return ErrScope
		}
		return unknownExtension(critical)
	})
	if err == nil && p.crl.Number == nil {
		return malformed("it has no number") // §5.2.3
	}
	return err
}

// distribution reads IssuingDistributionPoint. Lists for some reasons, for attribute certificates
// and of several CAs are refused, since they leave the question open. RFC 5280 §5.2.5
func (p *reader) distribution(value cryptobyte.String) error {
	var seq cryptobyte.String
	if !value.ReadASN1(&seq, cbasn1.SEQUENCE) || !value.Empty() {
		return malformed("its distribution point does not read")
	}
	var point, reasons cryptobyte.String
	var named, some bool
	if !seq.ReadOptionalASN1(&point, &named, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return malformed("its distribution point does not read")
	}
	flags := [6]bool{} // by tag; 0 and 3 are none
	for tag := 1; tag <= 5; tag++ {
		if tag == 3 {
			if !seq.ReadOptionalASN1(&reasons, &some, cbasn1.Tag(3).ContextSpecific()) {
				return malformed("its reasons do not read")
			}
			continue
		}
		if !seq.ReadOptionalASN1(&reasons, &flags[tag], cbasn1.Tag(tag).ContextSpecific()) ||
			flags[tag] && (len(reasons) != 1 || reasons[0] != 0xff) {
			return malformed("a flag of its distribution point does not read")
		}
	}
	switch user, ca, indirect, attribute := flags[1], flags[2], flags[4], flags[5]; {
	case !seq.Empty():
		return malformed("its distribution point has more than there is")
	case some, indirect, attribute, user && ca:
		return ErrScope
	case user:
		p.crl.Scope = UserCertificates
	case ca:
		p.crl.Scope = CACertificates
	}
	if named && !p.mine(point) {
		return ErrScope
	}
	return nil
}

// mine says whether the name of a distribution point is one of the certificate's. Names relative to
// the issuer's are not known here. RFC 5280 §6.3.3 (b) (2) (i)
func (p *reader) mine(point cryptobyte.String) bool {
	var names, uri cryptobyte.String
	if !point.ReadASN1(&names, cbasn1.Tag(0).ContextSpecific().Constructed()) || !point.Empty() {
		return false
	}
	for !names.Empty() {
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&uri, &tag) {
			return false
		}
		if tag == cbasn1.Tag(6).ContextSpecific() && slices.Contains(p.urls, string(uri)) {
			return true
		}
	}
	return false
}
