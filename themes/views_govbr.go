package themes

// GovBRWhy says why nobody was signed in by gov.br, and what helps. Titles are messages
// govbr.why.<Reason>.title, texts govbr.why.<Reason>.
type GovBRWhy struct {
	Reason   string
	CPF      string // masked: whom the visit expects; "" anybody
	AgainURL string // link id "govbr": gov.br once more; "" where that cannot help
	BackURL  string // link id "back": the visit's own next page
}

// Switch says whether the citizen must leave the account that gov.br remembers.
func (v GovBRWhy) Switch() bool { return v.Reason == "other" || v.Reason == "old" }

// GovBRAccount asks whether the account that a CPF has, opened by somebody's word, is the citizen's.
type GovBRAccount struct {
	Action     string // POST; input "password", button id "continue"; button id "end" (name=account value=end)
	CPF        string // masked
	RecoverURL string // for those who have forgotten the password
	BackURL    string
}

func (GovBRWhy) page() string     { return "govbr_why" }
func (GovBRAccount) page() string { return "govbr_account" }
