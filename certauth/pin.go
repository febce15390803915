package certauth

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Pin is the SHA-256 of a root's certificate in DER.
type Pin [sha256.Size]byte

// DefaultRoots are the roots below which persons have certificates: v5, v10 and v12, as published by
// ITI at https://acraiz.icpbrasil.gov.br.
const DefaultRoots = "caa53fc6091c6951887c976e378f6ef89aa6377c55d97b6475422b71ed7e9b17," +
	"6e0bff069a26994c15de2c4888cc54af84882e5495b7fbf66be9ccffec7489f6," +
	"d8478e37ce19c690cf657381e68fe600e4e1a042536830f06847e03e554c4b01"

// ParsePins reads fingerprints in hexadecimal, colons allowed, with commas between them.
func ParsePins(text string) ([]Pin, error) {
	var pins []Pin
	for one := range strings.SplitSeq(text, ",") {
		raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(one), ":", ""))
		if err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("%q is not the SHA-256 of a root's certificate in hexadecimal", one)
		}
		pins = append(pins, Pin(raw))
	}
	return pins, nil
}

// String is the fingerprint in hexadecimal.
func (p Pin) String() string { return hex.EncodeToString(p[:]) }
