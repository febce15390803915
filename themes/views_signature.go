package themes

// CertificateWays are the ways to use a certificate that the browser does not show: in the cloud, and
// by a signature made in another program.
type CertificateWays struct {
	Providers []CloudProvider
	Action    string // POST for those that ask a telephone: input "cpf" where NeedsCPF, button "provider"
	NeedsCPF  bool   // nobody knows yet whose telephone
	CPF       string // as typed
	SignURL   string // link id "sign": a signature made elsewhere
	BackURL   string // link id "back"
}

// CloudProvider keeps certificates in the cloud.
type CloudProvider struct {
	ID, Name string
	URL      string // link id "cloud-<ID>"; "" where it asks a telephone: button id "cloud-<ID>"
}

// Pushes are the providers that ask a telephone.
func (v CertificateWays) Pushes() (all []CloudProvider) {
	for _, p := range v.Providers {
		if p.URL == "" {
			all = append(all, p)
		}
	}
	return all
}

// CloudWait says to look at the telephone.
type CloudWait struct {
	Action   string // POST, button id "continue": they have answered
	Provider string
	BackURL  string // link id "back"
}

// CloudWhy says why nobody was signed in by a certificate in the cloud. Titles are messages
// cloud.why.<Reason>.title, texts cloud.why.<Reason>.
type CloudWhy struct {
	Reason  string
	BackURL string // link id "back": the ways again
}

// Signature gives a text to sign elsewhere and takes the signature.
type Signature struct {
	Action  string // POST multipart: file "file" or textarea "signature", button id "continue"
	Text    string
	TextURL string // link id "text-file": the text, to download
	Command string // of OpenSSL, to sign it by
	BackURL string // link id "back"
}

func (CertificateWays) page() string { return "certificate_ways" }
func (CloudWait) page() string       { return "cloud_wait" }
func (CloudWhy) page() string        { return "cloud_why" }
func (Signature) page() string       { return "signature" }
