package certauth

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// What a source may have. ITI's bundle has 173 files of 2 to 3 KB in 400 KB.
const (
	MostSource = 16 << 20 // bytes
	mostFile   = 256 << 10
	mostFiles  = 4096
	mostInZip  = 32 << 20 // unpacked, of all files
)

// Candidate is a certificate of a source.
type Candidate struct {
	Name string // the file's, with its place in it where it has several
	Cert *x509.Certificate
}

// Skipped is what of a source does not count, and why.
type Skipped struct{ Name, Reason string }

var errTooLarge = errors.New("the source is too large")

// ReadPath is [Read] of a file, or of each file of a directory.
//
//	digest  SHA-512 of the file; of a directory, of what was read
func ReadPath(name string) (all []Candidate, skipped []Skipped, digest []byte, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, nil, err
	}
	if info.IsDir() {
		all, skipped, err = readDir(name)
		return all, skipped, digestOf(all), err
	}
	if info.Size() > MostSource {
		return nil, nil, nil, errTooLarge
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, nil, err
	}
	sum := sha512.Sum512(body)
	all, skipped, err = Read(filepath.Base(name), body)
	return all, skipped, sum[:], err
}

// digestOf tells directories apart by what they hold.
func digestOf(all []Candidate) []byte {
	h := sha512.New()
	for _, c := range all {
		h.Write(c.Cert.Raw)
	}
	return h.Sum(nil)
}

func readDir(dir string) (all []Candidate, skipped []Skipped, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	if len(files) > mostFiles {
		return nil, nil, errTooLarge
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		file, err := os.Open(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, nil, err
		}
		body, err := capped(file)
		if err = errors.Join(err, file.Close()); err != nil {
			skipped = append(skipped, Skipped{f.Name(), err.Error()})
			continue
		}
		more, bad := readFile(f.Name(), body)
		all, skipped = append(all, more...), append(skipped, bad...)
	}
	return all, skipped, nil
}

// Read reads a zip, a p7b, or a file of one or more certificates. A certificate that cannot be read is
// skipped, and the others are read all the same.
func Read(name string, body []byte) ([]Candidate, []Skipped, error) {
	switch {
	case len(body) > MostSource:
		return nil, nil, errTooLarge
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return readZip(body)
	}
	all, skipped := readFile(name, body)
	return all, skipped, nil
}

func readZip(body []byte) (all []Candidate, skipped []Skipped, err error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, nil, err
	}
	if len(z.File) > mostFiles {
		return nil, nil, errTooLarge
	}
	unpacked := 0
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		name := path.Base(f.Name)
		content, err := readZipped(f)
		if unpacked += len(content); unpacked > mostInZip {
			return nil, nil, errTooLarge
		}
		if err != nil {
			skipped = append(skipped, Skipped{name, err.Error()})
			continue
		}
		more, bad := readFile(name, content)
		all, skipped = append(all, more...), append(skipped, bad...)
	}
	return all, skipped, nil
}

func readZipped(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	body, err := capped(r)
	return body, errors.Join(err, r.Close())
}

// capped reads a file of a source; what it unpacks to counts, not what it claims.
func capped(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err == nil && len(body) > mostFile {
		err = errTooLarge
	}
	return body, err
}

// readFile reads PEM, DER, or a p7b of either.
func readFile(name string, body []byte) (all []Candidate, skipped []Skipped) {
	ders := unwrap(body)
	for i, der := range ders {
		one := name
		if len(ders) > 1 {
			one = fmt.Sprintf("%s#%d", name, i+1)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			skipped = append(skipped, Skipped{one, err.Error()})
			continue
		}
		all = append(all, Candidate{one, cert})
	}
	if len(ders) == 0 {
		skipped = append(skipped, Skipped{name, "holds no certificate"})
	}
	return all, skipped
}

// unwrap is the DER of each certificate in a file. Files that end without a newline run into the
// next where somebody has put them together by cat.
func unwrap(body []byte) (ders [][]byte) {
	body = bytes.ReplaceAll(body, []byte("----------BEGIN"), []byte("-----\n-----BEGIN"))
	found := false
	for {
		var block *pem.Block
		if block, body = pem.Decode(body); block == nil {
			break
		}
		found = true
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			ders = append(ders, block.Bytes)
		case "PKCS7", "CERTIFICATES":
			ders = append(ders, bagged(block.Bytes)...)
		}
	}
	if found {
		return ders
	}
	if certs := bagged(body); certs != nil {
		return certs
	}
	if len(body) > 0 && body[0] == 0x30 {
		return [][]byte{body}
	}
	return nil
}

// bagged is each certificate of a degenerate SignedData, unread: one that is bad does not spoil the
// others. RFC 5652 §5.1; nil where it is none.
func bagged(body []byte) (ders [][]byte) {
	in := cryptobyte.String(body)
	var info, wrapped, signed, certs cryptobyte.String
	var kind asn1.ObjectIdentifier
	var version int64
	certificates := casn1.Tag(0).ContextSpecific().Constructed()
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) ||
		!kind.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}) || !info.ReadASN1(&wrapped, certificates) ||
		!wrapped.ReadASN1(&signed, casn1.SEQUENCE) || !signed.ReadASN1Integer(&version) ||
		!signed.SkipASN1(casn1.SET) || !signed.SkipASN1(casn1.SEQUENCE) || !signed.ReadASN1(&certs, certificates) {
		return nil
	}
	for !certs.Empty() && len(ders) < mostFiles {
		var der cryptobyte.String
		if !certs.ReadASN1Element(&der, casn1.SEQUENCE) {
			break
		}
		ders = append(ders, der)
	}
	return ders
}
