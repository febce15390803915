package themes

// Company asks for which company the citizen uses the service or, where none is known, says how to
// show one.
type Company struct {
	Action    string // POST; radio "company", button id "continue"; ids "without" and "leave"
	Companies []CompanyOffer
	Required  bool   // the service does not go without
	Asked     bool   // gov.br has been asked, and answered
	Silent    bool   // gov.br has been asked, and did not answer
	More      bool   // gov.br named more than are shown
	GovBRURL  string // link id "govbr"; "" hides it
	// CertificateURL leads to the company's own certificate; link id "certificate"; "" hides it.
	CertificateURL string
}

// CompanyOffer is a company that may be chosen.
type CompanyOffer struct {
	Choice     string // what the form sends
	CNPJ, Name string // as documents show them
	Role       string // message "company.role.<Role>"
	Chosen     bool
}

// None says that there is nothing to choose from.
func (v Company) None() bool { return len(v.Companies) == 0 }

// Ways says whether a company can be shown from here.
func (v Company) Ways() bool { return v.GovBRURL != "" || v.CertificateURL != "" }

func (Company) page() string { return "company" }
