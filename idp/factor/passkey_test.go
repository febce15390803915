package factor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry/trust"
)

var rp = vw.RelyingParty{ID: "entrar.example.org", Name: "Vila Esperança", Origin: "https://entrar.example.org"}

// device is an authenticator in software, made by others.
type device struct {
	*rig
	*factor.Passkeys
	vw.Authenticator
	key vw.Credential
	row factor.Passkey
}

// newKey is an ES256 key. The library leaves leading zeros of a coordinate away, which RFC 9053 §7.1.1
// does not allow and one key of 128 shows.
func newKey() vw.Credential {
	for {
		if key := vw.NewCredential(vw.KeyTypeEC2); len(key.Key.AttestationData()) == 77 {
			return key
		}
	}
}

// device registers a passkey of these options for the rig's person.
func (r *rig) device(o vw.AuthenticatorOptions) *device {
	r.t.Helper()
	keys, err := factor.NewPasskeys(factor.RelyingParty{ID: rp.ID, Name: rp.Name, Origins: []string{rp.Origin}}, r.clock.Now)
	r.must(err)
	d := &device{rig: r, Passkeys: keys, Authenticator: vw.NewAuthenticatorWithOptions(o), key: newKey()}
	d.row, err = d.FinishRegistration(r.t.Context(), r.db, r.browser, r.person, "Celular", d.made(d.asked()))
	r.must(err)
	d.AddCredential(d.key)
	d.Options.UserHandle = d.handle(r.person)
	return d
}

func (r *rig) handle(person uuid.UUID) (handle []byte) {
	r.t.Helper()
	r.must(r.db.QueryRow(r.t.Context(), `SELECT handle FROM webauthn_user WHERE person_id = $1`, person).Scan(&handle))
	return handle
}

// asked are the options of a registration.
func (d *device) asked() *vw.AttestationOptions {
	d.t.Helper()
	options, err := d.BeginRegistration(d.t.Context(), d.db, d.browser, d.person, "529.***.***-25", "Maria")
	d.must(err)
	parsed, err := vw.ParseAttestationOptions(string(options))
	d.must(err)
	return parsed
}

func (d *device) made(o *vw.AttestationOptions) []byte {
	return []byte(vw.CreateAttestationResponse(rp, d.Authenticator, d.key, *o))
}

// signs begins a sign-in and answers it.
func (d *device) signs(expected *uuid.UUID) []byte {
	d.t.Helper()
	options, err := d.BeginLogin(d.t.Context(), d.db, d.browser, expected)
	d.must(err)
	return d.answers(rp, options)
}

func (d *device) answers(at vw.RelyingParty, options json.RawMessage) []byte {
	d.t.Helper()
	parsed, err := vw.ParseAssertionOptions(string(options))
	d.must(err)
	return []byte(vw.CreateAssertionResponse(at, d.Authenticator, d.key, *parsed))
}

func (d *device) login(expected *uuid.UUID) (uuid.UUID, factor.Proof, error) {
	d.t.Helper()
	return d.FinishLogin(d.t.Context(), d.db, d.browser, d.signs(expected))
}

func (r *rig) caps(facts []string) int {
	r.t.Helper()
	caps, err := trust.ParseCaps(trust.DefaultCaps)
	r.must(err)
	return caps.Of(facts)
}

func TestAPasskeySignsInAloneAndAfterTheCPF(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	for name, expected := range map[string]*uuid.UUID{"alone": nil, "after the CPF": &d.person} {
		who, p, err := d.login(expected)
		if err != nil || who != d.person || p.By != factor.ByPasskey || p.Factor != d.row.ID || !p.Enrolled.Equal(d.row.CreatedAt) {
			t.Errorf("%s: %v, %+v, %v", name, who, p, err)
		}
	}
	if d.row.AAGUID != uuid.UUID(d.Aaguid) {
		t.Errorf("model %v is kept as %v", d.Aaguid, d.row.AAGUID)
	}
	if h := d.handle(d.person); len(h) != 32 || strings.Contains(string(h), string(d.person[:])) {
		t.Errorf("WebAuthn §14.6.1: a user handle of %d bytes", len(h))
	}
	all, err := factor.PasskeysOf(t.Context(), d.db, d.person)
	if err != nil || len(all) != 1 || all[0].UsedAt == nil {
		t.Errorf("the use is not kept: %+v, %v", all, err)
	}
}

func TestAPasskeysMethodsFollowWhatTheDeviceShowed(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		options vw.AuthenticatorOptions
		amr     []string
		cap     int
	}{
		"RFC 8176 §2 a key in hardware":              {vw.AuthenticatorOptions{}, []string{"hwk", "user", "mfa"}, 4},
		"RFC 8176 §2 a key that may be copied":       {vw.AuthenticatorOptions{BackupEligible: true}, []string{"swk", "user", "mfa"}, 4},
		"RFC 8176 §2 a key that was copied":          {vw.AuthenticatorOptions{BackupEligible: true, BackupState: true}, []string{"swk", "user", "mfa"}, 4},
		"RFC 8176 §2 a touch without PIN, after CPF": {vw.AuthenticatorOptions{UserNotVerified: true}, []string{"hwk", "user"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			registered := c.options
			registered.UserNotVerified = false
			d := newRig(t).device(registered)
			d.Options.UserNotVerified = c.options.UserNotVerified
			_, p, err := d.login(&d.person)
			if err != nil || !slices.Equal(p.AMR, c.amr) || d.caps(p.AMR) != c.cap {
				t.Errorf("%v, cap %d, %v", p.AMR, d.caps(p.AMR), err)
			}
		})
	}
}

func TestWhatDoesNotHoldIsRefused(t *testing.T) {
	t.Parallel()

	elsewhere := vw.RelyingParty{ID: "entrar.example.com", Origin: "https://entrar.example.com"}
	stranger := pg.NewID()
	for name, c := range map[string]struct {
		change   func(*device)
		expected *uuid.UUID
		at       vw.RelyingParty
	}{
		"WebAuthn §7.2 step 10 another origin":        {at: vw.RelyingParty{ID: rp.ID, Origin: "https://entrar.exampie.org"}},
		"WebAuthn §7.2 step 14 another relying party": {at: elsewhere},
		"WebAuthn §7.2 step 15 nobody present":        {change: func(d *device) { d.Options.UserNotPresent = true }, at: rp},
		"WebAuthn §7.2 step 16 alone without PIN":     {change: func(d *device) { d.Options.UserNotVerified = true }, at: rp},
		"WebAuthn §7.2 step 21 another key":           {change: func(d *device) { d.key.Key = newKey().Key }, at: rp},
		"WebAuthn §7.2 step 5 a credential of nobody": {change: func(d *device) { d.key.ID = make([]byte, 32) }, at: rp},
		"WebAuthn §7.2 step 6 another user handle":    {change: func(d *device) { d.Options.UserHandle = make([]byte, 32) }, at: rp},
		"WebAuthn §7.2 step 17 became copyable":       {change: func(d *device) { d.Options.BackupEligible = true }, at: rp},
		"another person's CPF":                        {expected: &stranger, at: rp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newRig(t).device(vw.AuthenticatorOptions{})
			if c.change != nil {
				c.change(d)
			}
			options, err := d.BeginLogin(t.Context(), d.db, d.browser, c.expected)
			d.must(err)
			if who, p, err := d.FinishLogin(t.Context(), d.db, d.browser, d.answers(c.at, options)); !errors.Is(err, factor.ErrCeremony) || who != uuid.Nil || p.AMR != nil {
				t.Errorf("%v, %+v, %v", who, p, err)
			}
		})
	}
}

func TestAChallengeIsOneBrowsersForFiveMinutesOnce(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	for name, c := range map[string]struct {
		response []byte
		browser  []byte
		spoil    func()
	}{
		"another browser": {d.signs(nil), secret.Hash("another"), nil},
		"never begun":     {d.answers(rp, json.RawMessage(`{"publicKey":{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rpId":"entrar.example.org"}}`)), d.browser, nil},
		"used": {d.signs(nil), d.browser, func() {
			_, _, err := d.login(nil)
			d.must(err)
		}},
	} {
		if c.spoil != nil {
			_, _, err := d.FinishLogin(t.Context(), d.db, c.browser, c.response)
			d.must(err)
		}
		if _, _, err := d.FinishLogin(t.Context(), d.db, c.browser, c.response); !errors.Is(err, factor.ErrChallenge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late := d.signs(nil)
	d.clock.Advance(factor.ChallengeLifetime)
	if _, _, err := d.FinishLogin(t.Context(), d.db, d.browser, late); !errors.Is(err, factor.ErrChallenge) {
		t.Errorf("after five minutes: %v", err)
	}
	registration := d.asked()
	if _, err := d.FinishRegistration(t.Context(), d.db, d.browser, pg.NewID(), "x", d.made(registration)); !errors.Is(err, factor.ErrChallenge) {
		t.Errorf("a registration for somebody else: %v", err)
	}
}

func TestAFailedAnswerUsesItsChallengeUp(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	options, err := d.BeginLogin(t.Context(), d.db, d.browser, nil)
	d.must(err)
	good := d.answers(rp, options)
	d.key.Key = newKey().Key
	if _, _, err := d.FinishLogin(t.Context(), d.db, d.browser, d.answers(rp, options)); !errors.Is(err, factor.ErrCeremony) {
		t.Errorf("a wrong signature: %v", err)
	}
	if _, _, err := d.FinishLogin(t.Context(), d.db, d.browser, good); !errors.Is(err, factor.ErrChallenge) {
		t.Errorf("the right one after it: %v", err)
	}
}

func TestAnAnswerSignsInOnceHoweverManySendItTogether(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	response := d.signs(nil)
	won := d.together(func(int) (bool, error) {
		_, _, err := d.FinishLogin(t.Context(), d.db, d.browser, response)
		if errors.Is(err, factor.ErrChallenge) {
			return false, nil
		}
		return err == nil, err
	})
	if won != 1 {
		t.Errorf("%d of 100 signed in", won)
	}
}

func TestARegistrationMakesOnePasskeyHoweverManySendItTogether(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	d.key = newKey()
	response := d.made(d.asked())
	won := d.together(func(int) (bool, error) {
		_, err := d.FinishRegistration(t.Context(), d.db, d.browser, d.person, "Tablet", response)
		if errors.Is(err, factor.ErrChallenge) {
			return false, nil
		}
		return err == nil, err
	})
	if n := d.count(`SELECT count(*) FROM passkey`); won != 1 || n != 2 {
		t.Errorf("%d of 100 registered, %d keys", won, n)
	}
}

func TestACountThatDoesNotRiseIsRefusedAndReported(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	for _, step := range []struct {
		count uint32
		want  error
	}{{0, nil}, {0, nil}, {5, nil}, {6, nil}, {6, factor.ErrCloned}, {4, factor.ErrCloned}, {0, factor.ErrCloned}, {7, nil}} {
		d.key.Counter = step.count
		if _, p, err := d.login(nil); !errors.Is(err, step.want) || (step.want != nil && p.AMR != nil) {
			t.Errorf("WebAuthn §7.2 step 22 count %d: %+v, %v", step.count, p, err)
		}
	}
	events, err := factor.EventsOf(t.Context(), d.db, d.person, d.clock.Now(), 10)
	if err != nil || len(events) != 3 || events[0].Kind != factor.PasskeyCloned || events[0].Factor != d.row.ID {
		t.Errorf("the owner is told %+v, %v", events, err)
	}
}

func TestOfTwoCopiesThatSignTogetherOneIsRefused(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	d.key.Counter = 7
	responses := make([][]byte, 100)
	for n := range responses {
		responses[n] = d.signs(nil)
	}
	won := d.together(func(n int) (bool, error) {
		_, _, err := d.FinishLogin(t.Context(), d.db, d.browser, responses[n])
		if errors.Is(err, factor.ErrCloned) {
			return false, nil
		}
		return err == nil, err
	})
	if won != 1 {
		t.Errorf("%d of 100 signatures with one count were accepted", won)
	}
}

func TestTheBackupStateFollowsTheDevice(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{BackupEligible: true})
	if !d.row.BackupEligible || d.row.BackedUp {
		t.Errorf("registered as %+v", d.row)
	}
	d.Options.BackupState = true
	if _, _, err := d.login(nil); err != nil {
		t.Fatal(err)
	}
	all, err := factor.PasskeysOf(t.Context(), d.db, d.person)
	if err != nil || !all[0].BackedUp {
		t.Errorf("after the copy: %+v, %v", all, err)
	}
}

func TestSignInOptionsAreAlikeForEveryAccount(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	without, nobody := pg.NewID(), pg.NewID()
	shape := func(expected *uuid.UUID) string {
		options, err := d.BeginLogin(t.Context(), d.db, d.browser, expected)
		d.must(err)
		var v map[string]map[string]any
		d.must(json.Unmarshal(options, &v))
		delete(v["publicKey"], "challenge")
		return fmt.Sprint(v)
	}
	if with := shape(&d.person); with != shape(&without) || with != shape(&nobody) {
		t.Errorf("%s\n%s", with, shape(&nobody))
	}
}

func TestAKeyIsRegisteredOnceAndExcludedNextTime(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	options := d.asked()
	if !d.key.IsExcludedForAttestation(*options) {
		t.Error("the device is not told that it has a key here")
	}
	if options.UserName != "529.***.***-25" || options.UserDisplayName != "Maria" || options.UserID != string(d.handle(d.person)) {
		t.Errorf("the device is told %+v", options)
	}
	if _, err := d.FinishRegistration(t.Context(), d.db, d.browser, d.person, "x", d.made(options)); !errors.Is(err, factor.ErrPasskeyTaken) {
		t.Errorf("the same key again: %v", err)
	}
}

func TestPasskeysHaveNamesAndAnEnd(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	first, second := r.device(vw.AuthenticatorOptions{}), r.device(vw.AuthenticatorOptions{})
	remove := func(d *device, evenLast bool) error {
		return r.inTx(func(tx pg.Tx) error { return factor.RemovePasskey(t.Context(), tx, r.person, d.row.ID, evenLast) })
	}
	r.must(factor.RenamePasskey(t.Context(), r.db, r.person, first.row.ID, "Chave azul"))
	if err := factor.RenamePasskey(t.Context(), r.db, pg.NewID(), first.row.ID, "x"); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("somebody else renames it: %v", err)
	}
	all, err := factor.PasskeysOf(t.Context(), r.db, r.person)
	if err != nil || len(all) != 2 || all[0].Name != "Chave azul" {
		t.Errorf("%+v, %v", all, err)
	}
	r.must(remove(first, false))
	if _, _, err := first.login(nil); !errors.Is(err, factor.ErrCeremony) {
		t.Errorf("a removed key: %v", err)
	}
	if err := remove(second, false); !errors.Is(err, factor.ErrLastWayIn) {
		t.Errorf("the last way in, without a warning: %v", err)
	}
	r.must(factor.SetPassword(t.Context(), r.db, r.person, "$argon2id$x", r.clock.Now()))
	r.must(remove(second, false))
	if err := remove(second, true); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestTwoRemovalsAtOnceDoNotTakeTheLastWayIn(t *testing.T) {
	t.Parallel()

	r := newRig(t)
	keys := []*device{r.device(vw.AuthenticatorOptions{}), r.device(vw.AuthenticatorOptions{})}
	removed := r.together(func(n int) (bool, error) {
		err := r.inTx(func(tx pg.Tx) error { return factor.RemovePasskey(t.Context(), tx, r.person, keys[n%2].row.ID, false) })
		if errors.Is(err, factor.ErrLastWayIn) || errors.Is(err, factor.ErrFactorNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if left := r.count(`SELECT count(*) FROM passkey`); removed != 1 || left != 1 {
		t.Errorf("%d removed, %d left", removed, left)
	}
	forced := 0
	for _, d := range keys {
		if r.inTx(func(tx pg.Tx) error { return factor.RemovePasskey(t.Context(), tx, r.person, d.row.ID, true) }) == nil {
			forced++
		}
	}
	if forced != 1 || r.count(`SELECT count(*) FROM passkey`) != 0 {
		t.Error("a person who was warned cannot remove the last one")
	}
}

func TestChallengesLeaveWhenTheyAreOver(t *testing.T) {
	t.Parallel()

	d := newRig(t).device(vw.AuthenticatorOptions{})
	d.signs(nil)
	d.clock.Advance(2 * factor.ChallengeLifetime)
	d.clock.Advance(60 * factor.ChallengeLifetime)
	fresh := d.signs(nil)
	d.must(factor.PurgeChallenges(t.Context(), d.db, d.clock.Now()))
	if n := d.count(`SELECT count(*) FROM webauthn_challenge`); n != 1 {
		t.Errorf("%d challenges stay", n)
	}
	if _, _, err := d.FinishLogin(t.Context(), d.db, d.browser, fresh); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoAnswerIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	t.Parallel()

	keys, err := factor.NewPasskeys(factor.RelyingParty{ID: rp.ID, Name: rp.Name, Origins: []string{rp.Origin}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := vw.CreateAssertionResponse(rp, vw.NewAuthenticator(), newKey(), vw.AssertionOptions{Challenge: make([]byte, 32), RelyingPartyID: rp.ID})
	for _, response := range []string{"", "{}", "[]", good[:len(good)/2], strings.Repeat(" ", 1<<20) + good,
		`{"id":"","rawId":"","type":"public-key","response":{}}`} {
		if _, _, err := keys.FinishLogin(t.Context(), nil, nil, []byte(response)); !errors.Is(err, factor.ErrCeremony) {
			t.Errorf("sign-in by %.60q: %v", response, err)
		}
		if _, err := keys.FinishRegistration(t.Context(), nil, nil, uuid.Nil, "x", []byte(response)); !errors.Is(err, factor.ErrCeremony) {
			t.Errorf("registration by %.60q: %v", response, err)
		}
	}
}

func TestARelyingPartyIsADomainWithAnOrigin(t *testing.T) {
	t.Parallel()

	for _, wrong := range []factor.RelyingParty{{ID: "https://entrar.example.org", Name: "x", Origins: []string{rp.Origin}}, {ID: rp.ID, Name: "x"}} {
		if _, err := factor.NewPasskeys(wrong, nil); err == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}
