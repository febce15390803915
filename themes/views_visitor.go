package themes

// VisitorPhone asks somebody without a CPF for their telephone number.
type VisitorPhone struct {
	Action    string    // inputs "country" (select) and "phone", button id "continue"
	Countries []Country // those that get texts
	Country   string    // as chosen before
	Phone     string    // as typed
	SignInURL string    // to the sign-in by CPF
	CancelURL string    // back to the service with access_denied; "" hides it
}

// VisitorCode asks for the digits sent by text message.
type VisitorCode struct {
	Action    string // inputs "code" (one-time-code) and "recent" (checkbox), button id "continue"
	ResendURL string // POST target, button id "resend"
	ChangeURL string // back, to correct the number
	Number    string // whole, because the person typed it a moment ago and may have mistyped it
	Minutes   int
	Recent    bool // ticked: the number is new to them
}

// VisitorWho asks whether a visitor is who used this number before. It shows nothing of that person.
type VisitorWho struct {
	Action          string // POST; buttons id "continue" (name=who value=same) and id "new" (value=new)
	Number          string
	HasCPF          bool // that person comes in by CPF
	Ask             bool // inputs "name" and "birthdate" may be tried
	Name, Birthdate string
	SignInURL       string // to the sign-in by CPF
	ChangeURL       string // back, to another number
}

// CPFRequired tells a visitor that they need a CPF here, and offers to go on with the one they have.
type CPFRequired struct {
	Action    string // POST; buttons id "continue" (name=account value=join) and id "other" (value=other)
	Name      string
	CancelURL string
}

// Document asks a visitor for a passport, or the identity card that their country travels with.
type Document struct {
	Kinds     []string // "passport", "id": messages document.<kind>
	Kind      string   // as chosen: input "document_kind"
	Country   string   // "document_country"
	Number    string   // "passport"
	Purpose   string
	Countries []Country
}

func (VisitorPhone) page() string { return "visitor_phone" }
func (VisitorCode) page() string  { return "visitor_code" }
func (VisitorWho) page() string   { return "visitor_who" }
func (CPFRequired) page() string  { return "visitor_cpf" }

// documentCountry makes the list of countries that may have issued a document.
func (c *catalog) documentCountry(p page, d *Document) (input, error) {
	in, err := c.field(p, "document_country", d.Country)
	for _, one := range d.Countries {
		in.Options = append(in.Options, option{one.Code, one.Name, one.Code == d.Country})
	}
	return in, err
}

// documentKinds makes the choice between kinds of documents.
func (c *catalog) documentKinds(p page, d *Document) (input, error) {
	in, err := c.field(p, "document_kind", d.Kind)
	in.Purpose = d.Purpose
	for _, kind := range d.Kinds {
		label, err := c.text("document."+kind, nil)
		if err != nil {
			return in, err
		}
		in.Options = append(in.Options, option{kind, label, kind == d.Kind})
	}
	return in, err
}

// documentNumber makes the input of a document's number, which is kept as the passport's.
func (c *catalog) documentNumber(p page, typed string) (input, error) {
	in, err := c.field(p, "document_number", typed)
	if err == nil {
		in.Name, in.Plain = "passport", true
		in.Problem, err = c.problem(p.F.Problem, in.Name)
	}
	return in, err
}
