package icptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Options of a hierarchy. The zero value is quick: ECDSA keys, valid around now.
type Options struct {
	// Bits of RSA keys, 0 for ECDSA P-256. The real authorities have 4096, people 2048.
	AuthorityBits, PersonBits int
	// Now is the middle of the time that certificates are valid; zero is the machine's.
	Now time.Time
	// CRL and OCSP are the addresses that every certificate but the root names; none by default. In CRL
	// {ca} stands for who issues: see [Repository].
	CRL, OCSP []string
	// CRLOf replaces CRL: the addresses of the list of the authority of a name.
	CRLOf func(issuer string) []string
	// Name distinguishes hierarchies; the root of every one without a name has the same DN, as
	// ICP-Brasil's homologation has production's.
	Name string
}

// PKI is one hierarchy: most certificates are issued by its lowest authority.
type PKI struct {
	Options
	Root, Level1, Issuing *CA
}

// CA is one authority.
type CA struct {
	Cert *x509.Certificate
	Key  crypto.Signer
	pki  *PKI
}

// New makes a hierarchy of root, level 1 and level 2, so that a chain has four certificates.
func New(o Options) (*PKI, error) {
	p := &PKI{Options: o}
	p.setNow()
	var err error
	if p.Root, err = p.root(); err != nil {
		return nil, err
	}
	if p.Level1, err = p.Root.Sub("AC Vila Teste v5"); err != nil {
		return nil, err
	}
	p.Issuing, err = p.Level1.Sub("AC Vila Teste RFB v5")
	return p, err
}

func (p *PKI) setNow() {
	if p.Now.IsZero() {
		p.Now = time.Now()
	}
}

// lists are the addresses that certificates of an authority name.
func (p *PKI) lists(issuer *x509.Certificate) []string {
	if p.CRLOf == nil {
		return p.CRL
	}
	return p.CRLOf(issuer.Subject.CommonName)
}

// Must is for tests and examples: it panics where the machine cannot make keys.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (p *PKI) root() (*CA, error) {
	key, err := newKey(p.AuthorityBits)
	if err != nil {
		return nil, err
	}
	t := p.authority("Autoridade Certificadora Raiz de Teste" + p.Name)
	t.CRLDistributionPoints, t.OCSPServer = nil, nil
	return p.sign(t, t, key, key)
}

// Sub issues a subordinate authority. change may alter what is signed.
func (ca *CA) Sub(name string, change ...func(*x509.Certificate)) (*CA, error) {
	key, err := newKey(ca.pki.AuthorityBits)
	if err != nil {
		return nil, err
	}
	t := ca.pki.authority(name)
	t.CRLDistributionPoints = ca.pki.lists(ca.Cert)
	for _, c := range change {
		c(t)
	}
	return ca.pki.sign(t, ca.Cert, key, ca.Key)
}

// Homonym is an authority with the name of ca and another key, signed by itself.
func (ca *CA) Homonym() (*CA, error) {
	key, err := newKey(ca.pki.AuthorityBits)
	if err != nil {
		return nil, err
	}
	t := ca.pki.authority("")
	t.RawSubject = ca.Cert.RawSubject
	return ca.pki.sign(t, t, key, key)
}

// Respelt is the same authority with its name in another string type: certificates that it issues
// name it so, while its own certificate does not. Such is AC SAFEWEB CD V12.
func (ca *CA) Respelt() (*CA, error) {
	raw, err := respell(ca.Cert.RawSubject)
	if err != nil {
		return nil, err
	}
	c := *ca.Cert
	c.RawSubject = raw
	return &CA{&c, ca.Key, ca.pki}, nil
}

// respell writes the strings of a name as PrintableString where they are UTF8String, and the other
// way about.
func respell(name []byte) ([]byte, error) {
	var rdns []asn1.RawValue
	if _, err := asn1.Unmarshal(name, &rdns); err != nil {
		return nil, err
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var all [][]attribute
	for _, rdn := range rdns {
		var set []attribute
		if _, err := asn1.UnmarshalWithParams(rdn.FullBytes, &set, "set"); err != nil {
			return nil, err
		}
		for i := range set {
			v := &set[i].Value
			if set[i].Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 6}) {
				continue // a country is always a PrintableString
			}
			other := map[int]int{asn1.TagUTF8String: asn1.TagPrintableString, asn1.TagPrintableString: asn1.TagUTF8String}[v.Tag]
			*v = asn1.RawValue{Tag: other, Bytes: v.Bytes}
		}
		all = append(all, set)
	}
	var out []byte
	for _, set := range all {
		raw, err := asn1.MarshalWithParams(set, "set")
		if err != nil {
			return nil, err
		}
		out = append(out, raw...)
	}
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: out})
}

func (p *PKI) authority(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: Serial(),
		Subject: pkix.Name{Country: []string{"BR"}, Organization: []string{"ICP-Brasil"},
			OrganizationalUnit: []string{"Instituto Inventado de Tecnologia"}, CommonName: name},
		NotBefore: p.Now.AddDate(-4, 0, 0), NotAfter: p.Now.AddDate(8, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
		CRLDistributionPoints: p.CRL, OCSPServer: p.OCSP,
	}
}

func (p *PKI) sign(t, parent *x509.Certificate, key, by crypto.Signer) (*CA, error) {
	c, err := create(t, parent, key, by)
	return &CA{c, key, p}, err
}

func create(t, parent *x509.Certificate, key, by crypto.Signer) (*x509.Certificate, error) {
	pkix, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(pkix)
	t.SubjectKeyId = id[:20]
	if t == parent {
		t.AuthorityKeyId = t.SubjectKeyId
	}
	t.CRLDistributionPoints = slices.Clone(t.CRLDistributionPoints)
	for i, at := range t.CRLDistributionPoints {
		t.CRLDistributionPoints[i] = strings.ReplaceAll(at, "{ca}", short(parent))
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), by)
	if err != nil {
		return nil, fmt.Errorf("icptest: %w", err)
	}
	return x509.ParseCertificate(der)
}

func newKey(bits int) (crypto.Signer, error) {
	if bits == 0 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

// Serial is a random serial number of 16 bytes.
func Serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}

// Authorities are the certificates of the hierarchy, root first.
func (p *PKI) Authorities() []*x509.Certificate {
	return []*x509.Certificate{p.Root.Cert, p.Level1.Cert, p.Issuing.Cert}
}

// Pin is the SHA-256 of the root's certificate.
func (p *PKI) Pin() [sha256.Size]byte { return sha256.Sum256(p.Root.Cert.Raw) }

// Issue issues a certificate by the lowest authority.
func (p *PKI) Issue(of Profile) *Leaf { return p.Issuing.Issue(of) }

// Issue issues a certificate by this authority. It panics for a profile that cannot be written.
func (ca *CA) Issue(of Profile) *Leaf {
	key := Must(newKey(ca.pki.PersonBits))
	return &Leaf{Cert: Must(create(ca.template(of), ca.Cert, key, ca.Key)), Key: key, pki: ca.pki}
}

func (ca *CA) template(of Profile) *x509.Certificate {
	t := of.template(ca.pki)
	if of.CRL == nil {
		t.CRLDistributionPoints = ca.pki.lists(ca.Cert)
	}
	return t
}

// SelfSigned is a certificate of a profile that its holder has signed.
func (p *PKI) SelfSigned(of Profile) *Leaf {
	key := Must(newKey(p.PersonBits))
	t := of.template(p)
	return &Leaf{Cert: Must(create(t, t, key, key)), Key: key, pki: p}
}

// CRL is a revocation list of this authority over serial numbers.
//
//	number  grows from list to list
func (ca *CA) CRL(number int64, this, next time.Time, revoked ...*big.Int) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: this, NextUpdate: next}
	for _, serial := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: this})
	}
	return x509.CreateRevocationList(rand.Reader, list, ca.Cert, ca.Key)
}
