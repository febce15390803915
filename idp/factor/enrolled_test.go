package factor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

func TestWhatAPersonHasIsReadInOneStatement(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	a := h.counts()
	d := h.device(vw.AuthenticatorOptions{BackupEligible: true, BackupState: true})
	codes, err := factor.RenewCodes(t.Context(), h.db, h.person, h.clock.Now())
	h.must(err)
	_, _, _, err = factor.UseCode(t.Context(), h.db, h.person, codes[0], h.clock.Now())
	h.must(err)
	mail := h.reach(factor.MailChannel, "maria@example.com")
	phone := h.reach(factor.PhoneChannel, phoneOfMaria)
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"))
	_, err = factor.Note(t.Context(), h.db, factor.Event{Person: h.person, At: h.clock.Now(), Kind: factor.PhoneAdded, Factor: phone})
	h.must(err)
	_, err = factor.Note(t.Context(), h.db, factor.Event{Person: h.person, At: h.clock.Advance(time.Hour), Kind: factor.SignedIn})
	h.must(err)

	sql, ctx := h.trace()
	e, err := factor.EnrolledOf(ctx, h.db, h.box, h.person)
	h.must(err)
	if len(sql.all) != 1 {
		t.Errorf("%d statements", len(sql.all))
	}
	if !e.Password || e.PasswordAt.IsZero() || e.CodesLeft != 9 || !e.Question || e.Hold.Live() {
		t.Errorf("%+v", e)
	}
	if !e.ChangedAt.Equal(h.clock.Now().Add(-time.Hour)) {
		t.Errorf("changed at %v: a sign-in is no change", e.ChangedAt)
	}
	if len(e.Authenticators) != 1 || e.Authenticators[0].ID != a.setup.ID || e.Authenticators[0].Name != "Celular" || e.Authenticators[0].ConfirmedAt.IsZero() {
		t.Errorf("apps %+v", e.Authenticators)
	}
	if len(e.Passkeys) != 1 || fmt.Sprint(e.Passkeys[0]) != fmt.Sprint(d.row) {
		t.Errorf("passkeys %+v, want %+v", e.Passkeys, d.row)
	}
	if len(e.Mails) != 2 || !e.Mails[0].Main || e.Mails[0].Address != "maria@example.org" || e.Mails[1].ID != mail || e.Mails[1].Address != "maria@example.com" {
		t.Errorf("mails %+v", e.Mails)
	}
	if len(e.Phones) != 1 || e.Phones[0].ID != phone || e.Phones[0].Address != phoneOfMaria || e.Phones[0].Way() != factor.WaySMS {
		t.Errorf("phones %+v", e.Phones)
	}
	if main, ok := e.Main(); !ok || main.Address != "maria@example.org" {
		t.Errorf("main %+v", main)
	}
	nobody, err := factor.EnrolledOf(t.Context(), h.db, h.box, pg.NewID())
	if err != nil || nobody.Password || len(nobody.Passkeys)+len(nobody.Mails)+nobody.CodesLeft > 0 {
		t.Errorf("nobody has %+v, %v", nobody, err)
	}
	if n := h.count(`SELECT count(*) FROM channel WHERE position('example' in encode(address, 'escape')) + position('4199' in encode(address, 'escape')) > 0`); n != 0 {
		t.Error("an address lies open")
	}
}

func TestAnAddressCountsOnceItsCodeCameBack(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	channels := factor.NewChannels(h.box, h.clock.Now)
	add := func() (id uuid.UUID, err error) {
		err = h.inTx(func(tx pg.Tx) (err error) {
			id, err = channels.Add(t.Context(), tx, h.person, factor.PhoneChannel, phoneOfMaria, h.post)
			return err
		})
		return id, err
	}
	id, err := add()
	h.must(err)
	code := h.sent[0].Code
	if len(h.enrolled().Phones) != 0 {
		t.Error("it counts before")
	}
	if ok, _, err := channels.Confirm(t.Context(), h.db, pg.NewID(), id, code); ok || err != nil {
		t.Error("somebody else confirms it", err)
	}
	if ok, left, err := channels.Confirm(t.Context(), h.db, h.person, id, "000-00x"); ok || left != 4 || err != nil {
		t.Error("a wrong code", ok, left, err)
	}
	if won := h.together(func(int) (bool, error) {
		ok, _, err := channels.Confirm(t.Context(), h.db, h.person, id, code)
		return ok, err
	}); won != 1 {
		t.Errorf("%d of 100 confirmed it", won)
	}
	if to := h.sent[0].To; to.Way != factor.WaySMS || to.Address != phoneOfMaria || h.sent[0].Token != "" {
		t.Errorf("sent to %+v", to)
	}
	spent, err := add()
	h.must(err)
	for range factor.CodeTries {
		_, _, err := channels.Confirm(t.Context(), h.db, h.person, spent, "not it")
		h.must(err)
	}
	if ok, left, err := channels.Confirm(t.Context(), h.db, h.person, spent, h.sent[1].Code); ok || left != 0 || err != nil {
		t.Error("the sixth try", ok, left, err)
	}
	late, err := add()
	h.must(err)
	h.clock.Advance(factor.EnrolLifetime)
	if ok, _, err := channels.Confirm(t.Context(), h.db, h.person, late, h.sent[2].Code); ok || err != nil {
		t.Error("after ten minutes", err)
	}
	h.clock.Advance(time.Second)
	h.must(factor.PurgeChannels(t.Context(), h.db, h.clock.Now()))
	if n := h.count(`SELECT count(*) FROM channel`); n != 1 {
		t.Errorf("%d addresses stay", n)
	}
	h.must(channels.Remove(t.Context(), h.db, h.person, id))
	if err := channels.Remove(t.Context(), h.db, h.person, id); !errors.Is(err, factor.ErrFactorNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	for range factor.MaxFactors {
		h.reach(factor.PhoneChannel, phoneOfMaria)
	}
	if _, err := add(); !errors.Is(err, factor.ErrTooManyFactors) {
		t.Errorf("one too many: %v", err)
	}
}

func TestAnAddressHidesItself(t *testing.T) {
	t.Parallel()

	for a, want := range map[factor.Address]string{"maria@example.org": "m***@e***.org", phoneOfMaria: "+55***0000", "": "***"} {
		got := fmt.Sprintf("%v %s %+v %q", a, a, struct{ A factor.Address }{a}, []factor.Address{a})
		if !strings.Contains(got, want) || (a != "" && strings.Contains(got, a.Text())) || a.LogValue().String() != want {
			t.Errorf("%s is shown as %s", a.Text(), got)
		}
	}
}

func TestEventsAreShownForNinetyDaysAndNeverChanged(t *testing.T) {
	t.Parallel()

	r, now := newRig(t), time.Now() // which the table goes by
	for days, kind := range map[int]factor.EventKind{0: factor.SignedIn, 89: factor.PasskeyAdded, 90: factor.TOTPAdded, 800: factor.TOTPRemoved} {
		_, err := factor.Note(t.Context(), r.db, factor.Event{Person: r.person, At: now.AddDate(0, 0, -days), Kind: kind, Browser: "Firefox, Android"})
		r.must(err)
	}
	_, err := factor.Note(t.Context(), r.db, factor.Event{Person: pg.NewID(), At: now, Kind: factor.SignedIn})
	r.must(err)
	events, err := factor.EventsOf(t.Context(), r.db, r.person, now, 10)
	if err != nil || len(events) != 2 || events[0].Kind != factor.SignedIn || events[1].Kind != factor.PasskeyAdded || events[0].Browser != "Firefox, Android" {
		t.Errorf("%+v, %v", events, err)
	}
	for _, sql := range []string{`UPDATE factor_event SET browser = ''`, `DELETE FROM factor_event`} {
		if tag, err := r.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: %s", sql, tag)
		}
	}
	r.must(factor.PurgeEvents(t.Context(), r.db, now))
	if n := r.count(`SELECT count(*) FROM factor_event`); n != 4 {
		t.Errorf("%d events stay", n)
	}
}

func TestABrowserIsNamedByItsFamilyAlone(t *testing.T) {
	t.Parallel()

	for header, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36":                                "Chrome, Android",
		"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-A135M) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36": "Samsung Internet, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":        "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0":                  "Edge, Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0":                                                                         "Firefox, Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                             "Safari, Mac",
		"curl/8.9.1": "", "": "",
	} {
		if got := factor.BrowserFamily(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

// ender notes what ends.
type ender struct {
	mu                                   sync.Mutex
	sessions, tokens, consents, declared []uuid.UUID
}

func (e *ender) note(what *[]uuid.UUID, p uuid.UUID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	*what = append(*what, p)
	return nil
}

func (e *ender) EndSessions(_ context.Context, _ pg.Tx, p uuid.UUID) error {
	return e.note(&e.sessions, p)
}

func (e *ender) EndTokens(_ context.Context, _ pg.Tx, p uuid.UUID) error { return e.note(&e.tokens, p) }

func (e *ender) EndConsents(_ context.Context, _ pg.Tx, p uuid.UUID) error {
	return e.note(&e.consents, p)
}

func (e *ender) ForgetDeclared(_ context.Context, _ pg.Tx, p uuid.UUID) error {
	return e.note(&e.declared, p)
}

// announce tells every address of Maria's that something happened.
func (h *home) announce(kind factor.EventKind, about ...uuid.UUID) (event factor.Event, told []factor.Announcement) {
	h.t.Helper()
	event = factor.Event{Person: h.person, At: h.clock.Now(), Kind: kind}
	if len(about) > 0 {
		event.Factor = about[0]
	}
	e := h.enrolled()
	h.must(h.inTx(func(tx pg.Tx) (err error) {
		told = nil
		event, err = h.Announce(h.t.Context(), tx, event, append(e.Mails, e.Phones...),
			func(_ context.Context, _ pg.Tx, a factor.Announcement) error {
				told = append(told, a)
				return nil
			})
		return err
	}))
	return event, told
}

func (h *home) notMe(token string, e *ender) (d factor.Disowned, err error) {
	err = h.inTx(func(tx pg.Tx) (err error) {
		d, err = h.NotMe(h.t.Context(), tx, token, h.browser, e, h.post)
		return err
	})
	return d, err
}

func TestWhoSaysItWasNotMeIsSignedOutEverywhereAndLetBackInByTheOldAddress(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	phone := h.reach(factor.PhoneChannel, phoneOfMaria)
	thiefs, d := h.start(maria, factor.WayMail)
	h.prove(thiefs, d.Code)
	event, told := h.announce(factor.PhoneRemoved)
	h.must(factor.NewChannels(h.box, h.clock.Now).Remove(t.Context(), h.db, h.person, phone))
	if len(told) != 2 || told[0].To.Address != "maria@example.org" || told[1].To != (factor.Destination{Way: factor.WaySMS, Address: phoneOfMaria}) || told[1].Event != event {
		t.Fatalf("told %+v", told)
	}
	e := new(ender)
	got, err := h.notMe(told[1].Token, e)
	if err != nil || got.Person != h.person || got.Event != event.ID || len(e.sessions) != 1 || e.sessions[0] != h.person {
		t.Fatalf("%+v, %v, %v", got, e.sessions, err)
	}
	if _, err := h.finish(thiefs); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("the recovery that was under way: %v", err)
	}
	code := h.sent[len(h.sent)-1]
	if code.To.Address != phoneOfMaria {
		t.Errorf("the code goes to %s", code.To.Address.Text())
	}
	if ok, _ := h.prove(got.Recovery, code.Code); !ok {
		t.Error("the code does not work")
	}
	if o, err := h.finish(got.Recovery); err != nil || o.Person != h.person || !o.Hold.Live() {
		t.Errorf("%+v, %v", o, err)
	}
	events, err := factor.EventsOf(t.Context(), h.db, h.person, h.clock.Now(), 10)
	if err != nil || events[0].Kind != factor.SaidNotMe {
		t.Errorf("%+v, %v", events, err)
	}
}

// The attacker's passkey, app or address must not outlive the owner's word, and must not be the only
// thing that goes: what the owner has beside it stays.
func TestADenialTakesBackWhatTheChangeHasGiven(t *testing.T) {
	t.Parallel()

	for kind, c := range map[factor.EventKind]struct {
		add  func(h *home) uuid.UUID
		gone factor.EventKind
	}{
		factor.PasskeyAdded: {func(h *home) uuid.UUID { return h.device(vw.AuthenticatorOptions{}).row.ID }, factor.PasskeyRemoved},
		factor.TOTPAdded:    {func(h *home) uuid.UUID { return h.counts().setup.ID }, factor.TOTPRemoved},
		factor.MailAdded:    {func(h *home) uuid.UUID { return h.reach(factor.MailChannel, "ladrao@example.com") }, factor.MailRemoved},
		factor.PhoneAdded:   {func(h *home) uuid.UUID { return h.reach(factor.PhoneChannel, phoneOfMaria) }, factor.PhoneRemoved},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()

			h := newHome(t)
			h.device(vw.AuthenticatorOptions{})
			h.reach(factor.MailChannel, "maria@example.com")
			before, hash := h.enrolled(), h.password()
			factorID := c.add(h)
			_, told := h.announce(kind, factorID)
			d, err := h.notMe(told[0].Token, new(ender))
			h.must(err)
			if d.Undone.Kind != c.gone || d.Undone.Factor != factorID {
				t.Errorf("undone %+v", d.Undone)
			}
			after := h.enrolled()
			if len(after.Passkeys) != len(before.Passkeys) || len(after.Authenticators) != 0 || len(after.Mails) != len(before.Mails) || len(after.Phones) != 0 {
				t.Errorf("%+v is left", after)
			}
			if h.password() != hash {
				t.Error("the password is another one")
			}
			_, told = h.announce(kind, factorID) // what has gone since
			if d, err := h.notMe(told[0].Token, new(ender)); err != nil || d.Undone.Kind != "" {
				t.Errorf("a second time: %+v, %v", d.Undone, err)
			}
		})
	}
}

func TestADeniedPasswordOpensNothingAndTheAccountStays(t *testing.T) {
	t.Parallel()

	for _, kind := range []factor.EventKind{factor.PasswordChanged, factor.Recovered, factor.DeskRecovered} {
		h := newHome(t)
		thiefs := h.password()
		_, told := h.announce(kind)
		_, err := h.notMe(told[0].Token, new(ender))
		h.must(err)
		if h.password() == thiefs || !h.enrolled().Password {
			t.Errorf("%s: the thief's password is there, or none", kind)
		}
	}
}

func TestANotMeLinkWorksOnceForAWeek(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	_, told := h.announce(factor.PasskeyAdded)
	if won := h.together(func(int) (bool, error) {
		err := h.inTx(func(tx pg.Tx) error {
			_, err := h.NotMe(t.Context(), tx, told[0].Token, h.browser, new(ender), func(context.Context, pg.Tx, factor.Dispatch) error { return nil })
			return err
		})
		if errors.Is(err, factor.ErrNotMe) {
			return false, nil
		}
		return err == nil, err
	}); won != 1 || h.count(`SELECT count(*) FROM recovery`) != 1 {
		t.Errorf("%d of 100 used the link", won)
	}
	_, told = h.announce(factor.PasskeyAdded)
	h.clock.Advance(factor.NotMeLifetime)
	for name, token := range map[string]string{"after a week": told[0].Token, "never sent": secret.Token(), "empty": ""} {
		e := new(ender)
		if _, err := h.notMe(token, e); !errors.Is(err, factor.ErrNotMe) || len(e.sessions) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.must(factor.PurgeNotMe(t.Context(), h.db, h.clock.Advance(time.Second)))
	if n := h.count(`SELECT count(*) FROM not_me`); n != 0 {
		t.Errorf("%d links stay", n)
	}
}

// Whoever adds an address of theirs is sent links of later changes there; once the owner has denied
// the address, none of them leads back in.
func TestADeniedAddressHasNoLinkLeft(t *testing.T) {
	t.Parallel()

	for name, alreadyGone := range map[string]bool{"still there": false, "removed meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			e := h.enrolled()
			thiefs := h.reach(factor.MailChannel, "ladrao@example.net")
			var denial []factor.Announcement
			h.must(h.inTx(func(tx pg.Tx) error {
				_, err := h.Announce(t.Context(), tx, factor.Event{Person: h.person, At: h.clock.Now(), Kind: factor.MailAdded, Factor: thiefs}, e.Mails,
					func(_ context.Context, _ pg.Tx, a factor.Announcement) error {
						denial = append(denial, a)
						return nil
					})
				return err
			}))
			_, told := h.announce(factor.PasswordChanged)
			if len(told) != 2 || told[1].To.Address != "ladrao@example.net" {
				t.Fatalf("told %+v", told)
			}
			if alreadyGone {
				h.must(factor.NewChannels(h.box, h.clock.Now).Remove(t.Context(), h.db, h.person, thiefs))
			}
			if _, err := h.notMe(denial[0].Token, new(ender)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.notMe(told[1].Token, new(ender)); !errors.Is(err, factor.ErrNotMe) {
				t.Errorf("the link at the denied address: %v", err)
			}
			if _, err := h.notMe(told[0].Token, new(ender)); err != nil {
				t.Errorf("the owner's other link: %v", err)
			}
		})
	}
}
