package registry

import "github.com/loginunico/loginunico/registry/pmcc"

// Unpack reads the opened part of a person, as Unseal does.
func Unpack(plain []byte, part int) (Fields, int, error) {
	u := unpacker{fields: Fields{}}
	if part != 0 {
		u.records = make([]contribution, 3)
	}
	err := u.read(plain, part)
	return u.fields, u.policy, err
}

// Pack writes the parts of a person, as they are sealed.
func Pack(g *pmcc.Golden, records []pmcc.Record, policy int) [][]byte {
	return new(packer).pack(g, records, policy)[:]
}

// ErrUnpack is what malformed parts give.
var ErrUnpack = errSealed
