package themes

// Certificate says what to have at hand before the browser asks for a certificate.
type Certificate struct {
	GoURL   string // link id "continue"
	OldURL  string // link id "old": for old tokens; "" hides it
	WaysURL string // link id "ways": in the cloud, or signed elsewhere; "" hides it
	BackURL string // link id "back"
}

// CertificateWhy says why a certificate has signed nobody in, and what helps. Titles are messages
// certificate.why.<Reason>.title, texts certificate.why.<Reason>.
type CertificateWhy struct {
	Reason   string
	CPF      string // masked: whom the visit expects; "" anybody
	AgainURL string // link id "continue": once more; "" where that cannot help
	OldURL   string // link id "old": for old tokens; "" hides it
	WaysURL  string // link id "ways": in the cloud, or signed elsewhere; "" hides it
	BackURL  string // link id "back": the visit's own next page
}

// CertificateAccount asks whether the account that a CPF has, opened by somebody's word, is the
// citizen's.
type CertificateAccount struct {
	Action     string // POST; input "password", button id "continue"; button id "end" (name=account value=end)
	CPF        string // masked
	RecoverURL string // for those who have forgotten the password
	BackURL    string
}

func (Certificate) page() string        { return "certificate" }
func (CertificateWhy) page() string     { return "certificate_why" }
func (CertificateAccount) page() string { return "certificate_account" }
