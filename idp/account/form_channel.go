package account

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/notice"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/themes"
)

// channelKind is what differs between mails and phones.
type channelKind struct {
	kind           factor.ChannelKind
	word, path     string // of messages and of pages
	field          string
	added, removed factor.EventKind
	of             func(factor.Enrolled) []factor.Channel
	read           func(t *turn) (factor.Address, error) // what was typed; an error of [faults]
}

var (
	mailChannel = channelKind{factor.MailChannel, "mail", "/email", "email", factor.MailAdded, factor.MailRemoved,
		func(e factor.Enrolled) []factor.Channel { return e.Mails }, typedMail}
	phoneChannel = channelKind{factor.PhoneChannel, "phone", "/telefone", "phone", factor.PhoneAdded, factor.PhoneRemoved,
		func(e factor.Enrolled) []factor.Channel { return e.Phones }, typedPhone}
)

func typedMail(t *turn) (factor.Address, error) {
	email, err := brdoc.ParseEmail(t.value("email"))
	return factor.Address(email.Address()), err
}

func typedPhone(t *turn) (factor.Address, error) {
	number, err := phone.ParseMobile(t.value("country"), t.value("phone"))
	return factor.Address(number.E164()), err
}

func channelForms(k channelKind) []form {
	return []form{
		{path: k.path, view: k.addView, check: k.checkAddress, do: k.add},
		{path: k.path + "/codigo", begun: factor.EnrolLifetime, view: k.codeView, do: k.confirm},
		{path: k.path + "/remover", view: about("remove_"+k.word, k.masked), do: k.remove},
	}
}

// masked is one of the person's own addresses; the main one belongs to the registry and stays.
func (k channelKind) masked(t *turn) (string, bool) {
	return named(k.of(t.e), t.id, func(c factor.Channel) (uuid.UUID, string) {
		if c.Main {
			return uuid.Nil, ""
		}
		return c.ID, recognisable(c.Address)
	})
}

func (k channelKind) addView(h *Handler, _ context.Context, t *turn) (themes.View, error) {
	view := themes.Change{Kind: k.word}
	if k.kind == factor.MailChannel {
		return view, nil
	}
	if !h.Notices.Texts() {
		return nil, factor.ErrFactorNotFound
	}
	for _, c := range h.Notices.Countries().List(t.lang) {
		view.Countries = append(view.Countries, themes.Country(c))
	}
	return view, nil
}

// checkAddress reads the address and, of a mail, counts the letter; texts are counted by their courier.
func (k channelKind) checkAddress(h *Handler, ctx context.Context, t *turn) (*themes.Problem, error) {
	address, err := k.read(t)
	switch {
	case err != nil && k.kind == factor.MailChannel:
		return problem("email", "email", nil), nil
	case err != nil:
		return nil, err
	case slices.ContainsFunc(k.of(t.e), func(c factor.Channel) bool { return c.Address == address }):
		return problem("channel_taken", k.field, nil), nil
	case k.kind == factor.PhoneChannel:
		return nil, nil
	}
	may, err := h.Throttle.Mail(ctx, t.known.Person.CPF, t.address, "channel/"+t.known.PersonID.String())
	if err != nil || may {
		return nil, err
	}
	return h.wait(), nil
}

// add sends the code; the address counts when it comes back.
func (k channelKind) add(h *Handler, ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	address, err := k.read(t)
	if err != nil {
		return done{}, err
	}
	asker := notice.Asker{Lang: t.lang, Address: t.address}
	id, err := h.Channels.Add(ctx, tx, t.known.PersonID, k.kind, address, h.Notices.Courier(asker, notice.Confirm))
	return done{next: k.path + "/codigo?id=" + id.String()}, err
}

// pending is the address that waits for its code: nobody else's, and no phone at the page of mails.
func (k channelKind) pending(h *Handler, ctx context.Context, t *turn) (factor.Channel, error) {
	c, err := h.Channels.Pending(ctx, h.DB, t.known.PersonID, t.id)
	if err == nil && c.Kind != k.kind {
		err = factor.ErrFactorNotFound
	}
	return c, err
}

func (k channelKind) codeView(h *Handler, ctx context.Context, t *turn) (themes.View, error) {
	c, err := k.pending(h, ctx, t)
	return themes.Change{Kind: k.word + "_code", What: typed(c.Address), Minutes: int(factor.EnrolLifetime.Minutes()),
		AgainURL: PathSecurity + k.path}, err
}

// typed is an address as its owner typed it a moment ago, for them to see a slip.
func typed(a factor.Address) string {
	if number, err := phone.FromE164(a.Text()); err == nil {
		return number.International()
	}
	return a.Text()
}

// confirm counts a try, which stays counted when it was wrong.
func (k channelKind) confirm(h *Handler, ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	c, err := k.pending(h, ctx, t)
	if err != nil {
		return done{}, err
	}
	if t.value("code") == "" {
		return done{problem: problem("code_required", "code", nil)}, nil
	}
	ok, left, err := h.Channels.Confirm(ctx, tx, t.known.PersonID, t.id, t.value("code"))
	if ok && k.kind == factor.PhoneChannel {
		h.Notices.Answered(c.Address)
	}
	switch {
	case err != nil || ok:
		return done{event: factor.Event{Kind: k.added, Factor: t.id}}, err
	case left <= 0:
		return done{problem: problem("code_spent", "code", nil)}, nil
	}
	return done{problem: problem("code", "code", map[string]any{"Left": left})}, nil
}

func (k channelKind) remove(h *Handler, ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	if _, ok := k.masked(t); !ok {
		return done{}, factor.ErrFactorNotFound
	}
	return done{event: factor.Event{Kind: k.removed, Factor: t.id}}, h.Channels.Remove(ctx, tx, t.known.PersonID, t.id)
}
