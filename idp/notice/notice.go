package notice

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/themes"
)

// Where the links of messages lead. A text message has room for 160 characters: hence the short one.
const (
	PathNotMe        = "/n/"             // and the token
	PathRecoveryLink = "/recuperar/link" // ?t= the token
)

// newsLifetime is how long a text about a change may take to arrive: a phone may be off for a night.
const newsLifetime = 24 * time.Hour

// Purpose is what a code is for.
type Purpose string

// The purposes: messages mail.<Purpose> and sms.<Purpose>.
const (
	Confirm Purpose = "confirm" // a new address of an account
	Recover Purpose = "recover" // a way back in; by mail with a link
	Enter   Purpose = "code"    // a visitor's sign-in, by text message alone
)

// Notices writes and enqueues.
type Notices struct {
	themes *themes.Renderer
	codes  *factor.Codes
	texts  *sms.Service
	issuer *url.URL
	now    func() time.Time
}

// New posts letters by codes and texts by texts, nil where the city sends none. Links lead to the
// issuer, which config has checked.
func New(themes *themes.Renderer, codes *factor.Codes, texts *sms.Service, issuer string, now func() time.Time) (*Notices, error) {
	u, err := url.Parse(issuer)
	return &Notices{themes: themes, codes: codes, texts: texts, issuer: u, now: now}, err
}

// Texts says whether the city sends text messages, so that a page may ask for a phone.
func (n *Notices) Texts() bool { return n.texts != nil }

// Countries are those that the city sends text messages to.
func (n *Notices) Countries() phone.Countries {
	if n.texts == nil {
		return nil
	}
	return n.texts.Countries
}

// Answered tells the metrics that a code by text was typed in right: codes that are sent and never
// answered are how somebody makes texts for money.
func (n *Notices) Answered(to factor.Address) {
	if n.texts != nil {
		n.texts.Answered(phone.Number(to.Text()))
	}
}

// Asker is who makes a message go out, and in which language it is read.
type Asker struct {
	Lang    string     // the reader's: of the account, else of the page
	Address netip.Addr // of the browser, which the caps on texts count; zero in a job, where nobody asks
}

// Courier sends codes. Errors: [sms.ErrTooMany], [sms.ErrCountry], for a page to say and a job to drop;
// factor.ErrWay for a text where the city sends none.
func (n *Notices) Courier(a Asker, p Purpose) factor.Courier {
	return func(ctx context.Context, tx pg.Tx, d factor.Dispatch) error {
		args := map[string]any{"Code": d.Code, "Minutes": int(factor.RecoveryLifetime.Minutes()),
			"Link": n.url(PathRecoveryLink + "?t=" + d.Token)}
		if d.To.Way != factor.WaySMS {
			return n.letter(ctx, tx, a.Lang, string(p), d.To.Address, args)
		}
		words, err := n.themes.Message(a.Lang, "sms."+string(p), args)
		if err != nil {
			return err
		}
		return n.text(ctx, tx, a, d.To.Address, text{purpose: "code", words: sms.WithCode(words, n.issuer.Hostname(), d.Code),
			lasts: factor.RecoveryLifetime})
	}
}

// Announcer tells of what has changed, with the link to say "it was not me". A text that a cap refuses
// is left out: there is always a letter, and caps keep changes from being a way to make texts.
func (n *Notices) Announcer(a Asker) factor.Announcer {
	return func(ctx context.Context, tx pg.Tx, it factor.Announcement) error {
		link := n.url(PathNotMe + it.Token)
		if it.To.Way != factor.WaySMS {
			args, err := n.news(a.Lang, it.Event)
			if err != nil {
				return err
			}
			args["Link"] = link
			return n.letter(ctx, tx, a.Lang, "changed", it.To.Address, args)
		}
		return n.tell(ctx, tx, a, it.To.Address, "sms.changed."+topic(it.Event.Kind), link)
	}
}

// Displaced tells the holder of an account that it has ended. There is no link to deny it: whoever
// proved the CPF is its owner.
func (n *Notices) Displaced(a Asker) func(context.Context, pg.Tx, factor.Destination) error {
	return func(ctx context.Context, tx pg.Tx, to factor.Destination) error {
		link := n.url("/privacidade") // where the city says how to reach it
		if to.Way != factor.WaySMS {
			return n.letter(ctx, tx, a.Lang, "displaced", to.Address, map[string]any{"Link": link})
		}
		return n.tell(ctx, tx, a, to.Address, "sms.displaced", link)
	}
}

func (n *Notices) url(path string) string { return n.issuer.String() + path }

// news are what happened, when and in which browser, in the reader's words.
func (n *Notices) news(lang string, e factor.Event) (map[string]any, error) {
	what, err := n.themes.Message(lang, "event."+string(e.Kind), nil)
	if err != nil {
		return nil, err
	}
	browser := e.Browser
	if browser == "" {
		browser = n.themes.Text(lang, "event.elsewhere", nil)
	}
	return map[string]any{"What": what, "When": n.themes.Moment(lang, e.At), "Browser": browser}, nil
}

// topics of text messages, which name the thing and not what became of it; others are "account".
var topics = map[factor.EventKind]string{
	factor.PasswordChanged: "password",
	factor.PasskeyAdded:    "passkey", factor.PasskeyRemoved: "passkey", factor.PasskeyCloned: "passkey",
	factor.TOTPAdded: "totp", factor.TOTPRemoved: "totp", factor.CodesRenewed: "totp", factor.CodeUsed: "totp",
	factor.MailChanged: "email", factor.MailAdded: "email", factor.MailRemoved: "email",
	factor.PhoneAdded: "phone", factor.PhoneRemoved: "phone",
	factor.QuestionChanged: "question",
	factor.Recovered:       "recovery", factor.DeskRecovered: "recovery",
}

func topic(k factor.EventKind) string {
	if t, ok := topics[k]; ok {
		return t
	}
	return "account"
}

// letter enqueues mail.<kind>.
func (n *Notices) letter(ctx context.Context, tx pg.Tx, lang, kind string, to factor.Address, args map[string]any) error {
	address, err := brdoc.ParseEmail(to.Text())
	if err != nil {
		return err
	}
	l := factor.Letter{To: address}
	if l.Subject, err = n.themes.Message(lang, "mail."+kind+".subject", args); err != nil {
		return err
	}
	if l.Text, err = n.themes.Message(lang, "mail."+kind+".body", args); err != nil {
		return err
	}
	return n.codes.Post(ctx, tx, l)
}

// tell enqueues a text that tells of something and asks for nothing.
func (n *Notices) tell(ctx context.Context, tx pg.Tx, a Asker, to factor.Address, id, link string) error {
	words, err := n.themes.Message(a.Lang, id, map[string]any{"Link": link})
	if err != nil || n.texts == nil {
		return err
	}
	err = n.text(ctx, tx, a, to, text{purpose: "notice", words: words, lasts: newsLifetime})
	if k := fail.KindOf(err); err != nil && (k == fail.Throttled || k == fail.Invalid) {
		return nil
	}
	return err
}

type text struct {
	purpose, words string
	lasts          time.Duration
}

// text counts and enqueues one text.
func (n *Notices) text(ctx context.Context, tx pg.Tx, a Asker, to factor.Address, t text) error {
	if n.texts == nil {
		return factor.ErrWay
	}
	number, err := phone.FromE164(to.Text())
	if err != nil {
		return err
	}
	if err := n.texts.Allow(ctx, tx, sms.Ask{To: number, Address: a.Address}); err != nil {
		return err
	}
	id := pg.NewID()
	_, err = n.texts.Send(ctx, tx, sms.Request{Key: t.purpose + "/" + id.String(), Purpose: t.purpose, To: number,
		Text: t.words, Expires: n.now().Add(t.lasts)})
	return err
}
