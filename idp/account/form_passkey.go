package account

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

const (
	pathPasskey = "/aparelho"
	pathOptions = "/aparelho/opcoes"
)

var passkeyForms = []form{
	{path: pathPasskey, begun: factor.ChallengeLifetime, view: (*Handler).passkeyView, do: (*Handler).addPasskey},
	{path: "/aparelho/nome", view: about("passkey_name", passkeyName), do: (*Handler).renamePasskey},
	{path: "/aparelho/remover", view: about("remove_passkey", passkeyName), do: (*Handler).removePasskey},
}

func passkeyName(t *turn) (string, bool) {
	return named(t.e.Passkeys, t.id, func(k factor.Passkey) (uuid.UUID, string) { return k.ID, k.Name })
}

func (h *Handler) passkeyView(context.Context, *turn) (themes.View, error) {
	return themes.Change{Kind: "passkey", OptionsURL: PathSecurity + pathOptions}, nil
}

// passkeyOptions begins a ceremony: the JSON that navigator.credentials.create wants.
func (h *Handler) passkeyOptions(ctx context.Context, t *turn) (options []byte, err error) {
	_, err = h.change(ctx, t, 0, func(tx pg.Tx) (done, error) {
		options, err = h.Passkeys.BeginRegistration(ctx, tx, t.cookie, t.known.PersonID, t.account(), t.known.Person.DisplayName())
		return done{}, err
	})
	return options, err
}

// account is what devices and apps call the account.
func (t *turn) account() string {
	return t.known.Person.CPF.Masked()
}

func (h *Handler) addPasskey(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	key, err := h.Passkeys.FinishRegistration(ctx, tx, t.cookie, t.known.PersonID, t.value("name"), []byte(t.value("credential")))
	return done{event: factor.Event{Kind: factor.PasskeyAdded, Factor: key.ID}}, err
}

func (h *Handler) renamePasskey(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	return done{}, factor.RenamePasskey(ctx, tx, t.known.PersonID, t.id, t.value("name"))
}

// removePasskey warns before the last way in, once.
func (h *Handler) removePasskey(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	err := factor.RemovePasskey(ctx, tx, t.known.PersonID, t.id, t.value("last") == "yes")
	if errors.Is(err, factor.ErrLastWayIn) {
		name, _ := passkeyName(t)
		return done{page: themes.Change{Kind: "remove_passkey", What: name, Last: true}}, nil
	}
	return done{event: factor.Event{Kind: factor.PasskeyRemoved, Factor: t.id}}, err
}
