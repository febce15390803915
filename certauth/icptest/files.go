package icptest

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Open is the hierarchy kept in a directory; it is made there where there is none yet. The demo keeps
// its own, so that certificates which a browser has imported still count tomorrow.
func Open(dir string, o Options) (*PKI, error) {
	path := filepath.Join(dir, "authorities.pem")
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeIn(dir, path, o)
	}
	if err != nil {
		return nil, err
	}
	p := &PKI{Options: o}
	var certs []*x509.Certificate
	var keys []crypto.Signer
	for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			certs = append(certs, cert)
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, signer)
	}
	if len(certs) != 3 || len(keys) != 3 {
		return nil, fmt.Errorf("%s does not hold three authorities: delete it to have them made anew", path)
	}
	p.setNow()
	p.Root, p.Level1, p.Issuing = &CA{certs[0], keys[0], p}, &CA{certs[1], keys[1], p}, &CA{certs[2], keys[2], p}
	return p, nil
}

func makeIn(dir, path string, o Options) (*PKI, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var body []byte
	for _, ca := range []*CA{p.Root, p.Level1, p.Issuing} {
		cert, key, err := (&Leaf{Cert: ca.Cert, Key: ca.Key}).PEM()
		if err != nil {
			return nil, err
		}
		body = append(append(body, cert...), key...)
	}
	return p, os.WriteFile(path, body, 0o600)
}
