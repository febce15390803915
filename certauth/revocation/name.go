package revocation

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// sameName compares two distinguished names by what they say: CAs of ICP-Brasil write the same name
// once as PrintableString and once as UTF8String. The key, which the caller checks, decides. RFC 5280 §7.1
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y pkix.RDNSequence
	if rest, err := asn1.Unmarshal(a, &x); err != nil || len(rest) > 0 {
		return false
	}
	if rest, err := asn1.Unmarshal(b, &y); err != nil || len(rest) > 0 || len(x) != len(y) {
		return false
	}
	for i := range x {
		if len(x[i]) != len(y[i]) {
			return false
		}
		for j, v := range x[i] {
			if !v.Type.Equal(y[i][j].Type) || fmt.Sprint(v.Value) != fmt.Sprint(y[i][j].Value) {
				return false
			}
		}
	}
	return true
}
