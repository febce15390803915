package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/themes"
)

// form is one page that changes a factor: GET shows it, POST to the same address does it.
type form struct {
	path  string        // after the security page's
	begun time.Duration // see [Handler.change]
	view  func(h *Handler, ctx context.Context, t *turn) (themes.View, error)
	check func(h *Handler, ctx context.Context, t *turn) (*themes.Problem, error) // before the transaction; nil: nothing
	do    func(h *Handler, ctx context.Context, tx pg.Tx, t *turn) (done, error)
}

// forms are all of them.
var forms = slices.Concat(passwordForms, passkeyForms, appForms, channelForms(mailChannel), channelForms(phoneChannel), questionForms)

// show makes a view of the words of a kind of change.
func show(kind string) func(*Handler, context.Context, *turn) (themes.View, error) {
	return func(*Handler, context.Context, *turn) (themes.View, error) { return themes.Change{Kind: kind}, nil }
}

// about makes a view of a kind of change that is about one thing of the person's.
func about(kind string, name func(t *turn) (string, bool)) func(*Handler, context.Context, *turn) (themes.View, error) {
	return func(_ *Handler, _ context.Context, t *turn) (themes.View, error) {
		what, ok := name(t)
		if !ok {
			return nil, factor.ErrFactorNotFound
		}
		return themes.Change{Kind: kind, What: what}, nil
	}
}

func named[T any](all []T, id uuid.UUID, of func(T) (uuid.UUID, string)) (string, bool) {
	for _, one := range all {
		if other, name := of(one); other == id {
			return name, true
		}
	}
	return "", false
}

// faults are the errors that a form shows, and beside which field.
var faults = []struct {
	err         error
	code, field string
}{
	{factor.ErrFactorName, "factor_name", "name"},
	{factor.ErrTooManyFactors, "too_many_factors", ""},
	{factor.ErrCeremony, "device", ""},
	{factor.ErrChallenge, "device", ""},
	{factor.ErrPasskeyTaken, "device_taken", ""},
	{factor.ErrQuestion, "secret_question", "question"},
	{phone.ErrPhone, "phone_invalid", "phone"},
	{phone.ErrFixed, "phone_fixed", "phone"},
	{phone.ErrCountry, "phone_country", "country"},
}

// fault is the problem that an error is for the citizen; nil when it is none of theirs.
func (h *Handler) fault(err error) *themes.Problem {
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return problem(f.code, f.field, nil)
		}
	}
	switch {
	case errors.Is(err, sms.ErrTooMany):
		return problem("sms_too_many", "", map[string]any{"Minutes": fail.ArgsOf(err)["minutes"]})
	case errors.Is(err, factor.ErrBusy):
		return h.wait()
	}
	return nil
}

func (h *Handler) wait() *themes.Problem {
	return problem("throttled", "", map[string]any{"Minutes": h.Throttle.Minutes()})
}
