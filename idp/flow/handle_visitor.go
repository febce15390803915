package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/themes"
)

// ErrNoVisitors: this service is for people with a CPF.
var ErrNoVisitors = fail.New(fail.Forbidden, "visitors")

// takesVisitors says whether somebody without a CPF may come in here: the service's manifest says
// so, or a visitor proves themselves again at our own pages.
func (h *Handler) takesVisitors(v *visit) bool {
	if !h.Notices.Texts() {
		return false
	}
	if v.client != nil {
		return v.client.Foreigners
	}
	return v.visitor() && !v.Request.CPF
}

// visitorLang is the one of Spanish and English that a service speaks alone; "" where it speaks both, or
// neither: then a visitor may read at least our pages.
func (v *visit) visitorLang() string {
	if v.client == nil {
		return ""
	}
	es, en := contains(v.client.Languages, "es"), contains(v.client.Languages, "en")
	switch {
	case es && !en:
		return "es"
	case en && !es:
		return "en"
	}
	return ""
}

// visitorAt is [Handler.at] for the pages of visitors. Error: ErrNoVisitors, at whatever step.
func (h *Handler) visitorAt(c echo.Context, steps ...Step) (*visit, bool, error) {
	v, err := h.visit(c)
	if err != nil {
		return nil, false, err
	}
	if !h.takesVisitors(v) {
		return nil, false, ErrNoVisitors
	}
	if slices.Contains(steps, v.next(h.Now())) {
		return v, true, nil
	}
	return v, false, h.goOn(c, v)
}

// getVisitor asks for country and number, in the language that the link to it was in.
func (h *Handler) getVisitor(c echo.Context) error {
	v, here, err := h.visitorAt(c, beforeSignIn...)
	if err != nil || !here {
		return err
	}
	if lang := c.QueryParam("lang"); slices.Contains(themes.Languages, lang) {
		h.Pages.Remember(c, lang)
		return c.Redirect(seeOther, v.url(pathVisitor))
	}
	return h.show(c, v, nil, h.visitorView(v, "", ""))
}

func (h *Handler) visitorView(v *visit, country, typed string) themes.VisitorPhone {
	return themes.VisitorPhone{Action: v.url(pathVisitor), Countries: choices(h.Notices.Countries().List(v.lang)), Country: country,
		Phone: typed, SignInURL: v.url(pathIdentify), CancelURL: v.cancelURL()}
}

func choices(all []phone.Country) []themes.Country {
	list := make([]themes.Country, len(all))
	for i, c := range all {
		list[i] = themes.Country(c)
	}
	return list
}

// postVisitor sends a code. Nobody looks whether the number is somebody's, so that nothing of the
// answer can tell; a number that has had its share of texts gets the same page and no text.
func (h *Handler) postVisitor(c echo.Context) error {
	v, here, err := h.visitorAt(c, beforeSignIn...)
	if err != nil || !here {
		return err
	}
	country, typed := c.FormValue("country"), c.FormValue("phone")
	number, p := h.typedNumber(country, typed)
	if p != nil {
		return h.show(c, v, p, h.visitorView(v, clip(country), clip(typed)))
	}
	err = h.textCode(c, v, number)
	return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathNumber)) })
}

// typedNumber names every fault at once.
func (h *Handler) typedNumber(country, typed string) (phone.Number, *themes.Problem) {
	p := &themes.Problem{Code: "form"}
	fault := func(field, code string) { p.Fields = append(p.Fields, themes.FieldProblem{Field: field, Code: code}) }
	number, err := phone.ParseMobile(country, typed)
	switch {
	case !h.Notices.Countries()[country]:
		fault("country", fail.CodeOf(phone.ErrCountry))
		if typed == "" {
			fault("phone", "phone_required")
		}
	case typed == "":
		fault("phone", "phone_required")
	case err != nil:
		fault("phone", fail.CodeOf(err))
	default:
		return number, nil
	}
	return "", p
}

// textCode records the number and sends it a code, which proves that number alone.
func (h *Handler) textCode(c echo.Context, v *visit, n phone.Number) error {
	send := h.Notices.Courier(notice.Asker{Lang: v.lang, Address: address(c)}, notice.Enter)
	err := h.numberTyped(c.Request().Context(), v, n, false, send)
	if errors.Is(err, sms.ErrTooMany) { // a code that nobody knows: guesses must not outlast the texts
		err = h.numberTyped(c.Request().Context(), v, n, true, nobody)
	}
	return err
}

func nobody(context.Context, pg.Tx, factor.Dispatch) error { return nil }

func (h *Handler) numberTyped(ctx context.Context, v *visit, n phone.Number, decoy bool, send factor.Courier) error {
	settled := v.settled
	err := pg.InTx(ctx, h.DB, func(tx pg.Tx) error {
		if err := v.settle(ctx, tx); err != nil {
			return err
		}
		if err := visiting(ctx, tx, v.ID, h.Box.Seal([]byte(n.E164()), v.ID[:]), h.Now()); err != nil {
			return err
		}
		code, err := h.Codes.Make(ctx, tx, v.ID, factor.ForVisitor, n.E164(), decoy)
		if err != nil {
			return err
		}
		return send(ctx, tx, factor.Dispatch{To: factor.Destination{Way: factor.WaySMS, Address: factor.Address(n.E164())}, Code: code})
	})
	if err != nil {
		v.settled = settled // nothing was written
	}
	return err
}

// number is the one of this visit; "" when there is none.
func (v *visit) number(box registry.Sealer) phone.Number {
	plain, err := box.Open(v.Visitor, v.ID[:])
	if err != nil {
		return ""
	}
	return phone.Number(plain)
}

func (h *Handler) getNumber(c echo.Context) error {
	v, here, err := h.visitorAt(c, ConfirmNumber)
	if err != nil || !here {
		return err
	}
	return h.show(c, v, nil, h.numberView(v, false))
}

func (h *Handler) numberView(v *visit, recent bool) themes.VisitorCode {
	return themes.VisitorCode{Action: v.url(pathNumber), ResendURL: v.url(pathNumber + again), ChangeURL: v.url(pathVisitor),
		Number: v.number(h.Box).International(), Minutes: int(factor.CodeLifetime.Minutes()), Recent: recent}
}

func (h *Handler) postNumberAgain(c echo.Context) error {
	v, here, err := h.visitorAt(c, ConfirmNumber)
	if err != nil || !here {
		return err
	}
	err = h.textCode(c, v, v.number(h.Box))
	return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathNumber)) })
}

// postNumber tries the code. The number alone lets in whom it is known to be; who says that it is
// new to them is asked first.
func (h *Handler) postNumber(c echo.Context) error {
	v, here, err := h.visitorAt(c, ConfirmNumber)
	if err != nil || !here {
		return err
	}
	typed, recent := factor.Digits(c.FormValue("code")), c.FormValue("recent") != ""
	if typed == "" {
		return h.show(c, v, problem("code_required", "code", "code_required", nil), h.numberView(v, recent))
	}
	who := h.comer(c, v)
	in, left, err := h.arrive(c.Request().Context(), v, who, typed, recent)
	switch {
	case err != nil:
		return err
	case in == nil:
		return h.show(c, v, wrongCode(left), h.numberView(v, recent))
	}
	h.Notices.Answered(factor.Address(who.number.E164()))
	if in.cookie == "" {
		return c.Redirect(seeOther, v.url(pathVisitorWho))
	}
	return h.enterVisitor(c, v, *in)
}

// comer is a visitor who has a telephone in their hand.
type comer struct {
	number  phone.Number
	lang    string // of the page
	chosen  string // by this browser, now or before; "" none
	browser string // its family
}

func (h *Handler) comer(c echo.Context, v *visit) comer {
	return comer{number: v.number(h.Box), lang: v.lang, chosen: h.Pages.Chosen(c), browser: family(c)}
}

// arrive tries a code and lets its visitor in, all in one transaction: of tries at once one wins,
// and where anything fails the code is good still. in is nil for a wrong code, and empty where it
// must be asked whose the number is.
func (d *Dependencies) arrive(ctx context.Context, v *visit, who comer, typed string, recent bool) (in *entered, left int, err error) {
	err = pg.InTx(ctx, d.DB, func(tx pg.Tx) (err error) {
		var ok bool
		in = nil
		if ok, left, err = d.Codes.Check(ctx, tx, v.ID, factor.ForVisitor, who.number.E164(), typed); err != nil || !ok {
			return err
		}
		in = new(entered)
		h, err := d.Visitors.Holder(ctx, tx, who.number)
		switch {
		case err != nil:
			return err
		case h.PersonID == uuid.Nil:
			*in, err = d.welcome(ctx, tx, v, who, h)
		case h.Known() && !recent:
			*in, err = d.welcomeBack(ctx, tx, v, who, h)
		default:
			err = proven(ctx, tx, v.ID, v.Visitor, d.Now())
		}
		return err
	})
	return in, left, err
}

// welcome makes a new person of a visitor and opens their session.
func (d *Dependencies) welcome(ctx context.Context, tx pg.Tx, v *visit, who comer, before visitor.Holder) (entered, error) {
	person, err := d.Visitors.Welcome(ctx, tx, who.number, who.lang, before)
	if err != nil {
		return entered{}, err
	}
	return d.open(ctx, tx, v, entry{person: person, proofs: []factor.Proof{factor.TextProof()}, browser: who.browser})
}

// welcomeBack opens the session of who is known by this number, and keeps the language they chose.
func (d *Dependencies) welcomeBack(ctx context.Context, tx pg.Tx, v *visit, who comer, h visitor.Holder) (entered, error) {
	if err := d.Visitors.Return(ctx, tx, who.number, h, who.chosen); err != nil {
		return entered{}, err
	}
	return d.open(ctx, tx, v, entry{person: h.PersonID, proofs: []factor.Proof{factor.TextProof()}, browser: who.browser})
}

// enterVisitor goes on in the visitor's language: the one of this browser, else the one they had
// when they were last here.
func (h *Handler) enterVisitor(c echo.Context, v *visit, in entered) error {
	lang := v.lang
	if kept := v.known.Person.Fields["locale"].Text; h.Pages.Chosen(c) == "" && slices.Contains(themes.Languages, kept) {
		lang = kept
	}
	h.Pages.Remember(c, lang)
	return h.enter(c, v, in)
}
