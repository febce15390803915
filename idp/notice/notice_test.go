package notice

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/mail"
	"github.com/loginunico/loginunico/internal/outbox"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/internal/sms"
	"github.com/loginunico/loginunico/internal/testpg"
	"github.com/loginunico/loginunico/themes"
)

const issuer = "https://login.example.org:8443"

var (
	letterTo = factor.Destination{Way: factor.WayMail, Address: "maria@example.org"}
	textTo   = factor.Destination{Way: factor.WaySMS, Address: "+5511987654321"}
	abroad   = factor.Destination{Way: factor.WaySMS, Address: "+12125552368"}
	home     = netip.MustParseAddr("203.0.113.9")
)

// rig sends to an outbox, from a database of its own.
type rig struct {
	*Notices
	t   *testing.T
	db  *pg.Pool
	box *outbox.Outbox
}

func newRig(t *testing.T, texts bool) *rig {
	t.Helper()
	r := &rig{t: t, db: testpg.New(t), box: outbox.New()}
	smtp, err := r.box.ListenSMTP()
	r.must(err)
	box, err := secret.Open(t.Context(), r.db, secret.KEK{})
	r.must(err)
	carrier, err := mail.NewSMTP("smtp://"+smtp+"?tls=none", "nao-responda@example.org")
	r.must(err)
	look, err := themes.Load("", "")
	r.must(err)
	queue := jobs.New(r.db, slog.New(slog.DiscardHandler))
	jobs.Add(queue, 30*time.Second, factor.Deliver(box, carrier))
	var service *sms.Service
	if texts {
		limits, err := sms.ParseLimits("number=2/h")
		r.must(err)
		service = sms.New(sms.Options{DB: r.db, Box: box, Queue: queue, Carrier: r.box, Countries: phone.Countries{"BR": true},
			Limits: limits, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	}
	r.must(queue.Open())
	r.must(queue.Start(t.Context()))
	t.Cleanup(func() { _ = queue.Stop(t.Context()); _ = r.box.Close() })
	r.Notices, err = New(look, factor.NewCodes(box, queue, time.Now), service, issuer, time.Now)
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) code(a Asker, p Purpose, d factor.Dispatch) error {
	return pg.InTx(r.t.Context(), r.db, func(tx pg.Tx) error { return r.Courier(a, p)(r.t.Context(), tx, d) })
}

func (r *rig) announce(a Asker, it factor.Announcement) error {
	return pg.InTx(r.t.Context(), r.db, func(tx pg.Tx) error { return r.Announcer(a)(r.t.Context(), tx, it) })
}

// arrived waits for the first message to an address.
func (r *rig) arrived(to factor.Destination) outbox.Message {
	r.t.Helper()
	m, err := r.box.Wait(r.t.Context(), to.Address.Text(), 0)
	r.must(err)
	return m
}

func TestCodesTravelByLetterAndText(t *testing.T) {
	t.Parallel()

	r, a := newRig(t, true), Asker{Lang: "pt-BR", Address: home}
	r.must(r.code(a, Recover, factor.Dispatch{To: letterTo, Code: "123456", Token: "tok"}))
	r.must(r.code(a, Confirm, factor.Dispatch{To: textTo, Code: "654321"}))
	letter, text := r.arrived(letterTo), r.arrived(textTo)
	for _, want := range []string{"123456", issuer + "/recuperar/link?t=tok", "10 minutos"} {
		if !strings.Contains(letter.Text, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter.Text)
		}
	}
	if !strings.HasSuffix(text.Text, "\n@login.example.org #654321") {
		t.Errorf("the text is bound to no site: %q", text.Text)
	}
}

func TestChangesAreToldInTheReadersLanguage(t *testing.T) {
	t.Parallel()

	r := newRig(t, true)
	e := factor.Event{Kind: factor.PasskeyAdded, At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Browser: "Chrome, Android"}
	a := Asker{Lang: "es", Address: home}
	r.must(r.announce(a, factor.Announcement{Event: e, To: letterTo, Token: "tok"}))
	r.must(r.announce(a, factor.Announcement{Event: e, To: textTo, Token: "kot"}))
	letter, text := r.arrived(letterTo), r.arrived(textTo)
	for _, want := range []string{"Entrada con huella", "21/11/2026, 09:00", "Chrome, Android", issuer + "/n/tok"} {
		if !strings.Contains(letter.Subject+letter.Text, want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter.Text)
		}
	}
	if !strings.Contains(text.Text, "huella") || !strings.HasSuffix(text.Text, issuer+"/n/kot") {
		t.Errorf("%q", text.Text)
	}
}

func TestACapRefusesACodeAndLeavesAChangeToItsLetter(t *testing.T) {
	t.Parallel()

	r, a := newRig(t, true), Asker{Lang: "en", Address: home}
	for range 2 {
		r.must(r.code(a, Enter, factor.Dispatch{To: textTo, Code: "123456"}))
	}
	if err := r.code(a, Confirm, factor.Dispatch{To: textTo, Code: "123456"}); !errors.Is(err, sms.ErrTooMany) {
		t.Errorf("a third code of the hour: %v", err)
	}
	if err := r.code(a, Confirm, factor.Dispatch{To: abroad, Code: "123456"}); !errors.Is(err, sms.ErrCountry) {
		t.Errorf("a code abroad: %v", err)
	}
	for _, to := range []factor.Destination{textTo, abroad} {
		r.must(r.announce(a, factor.Announcement{Event: factor.Event{Kind: factor.PasswordChanged}, To: to, Token: "t"}))
	}
	r.must(pg.InTx(t.Context(), r.db, func(tx pg.Tx) error { return r.Displaced(a)(t.Context(), tx, textTo) }))
	if n := r.count(`SELECT count(*) FROM sms_message`); n != 2 {
		t.Errorf("%d texts, want the two codes", n)
	}
}

// In a job nobody asks: were all jobs one address, its cap would be the city's.
func TestJobsAreNotOneAddress(t *testing.T) {
	t.Parallel()

	r := newRig(t, true)
	for n := range 70 { // more than an address may ask for in an hour; a thousand numbers apart
		to := factor.Destination{Way: factor.WaySMS, Address: factor.Address(fmt.Sprintf("+551198%03d4321", 700+n))}
		r.must(r.code(Asker{Lang: "pt-BR"}, Recover, factor.Dispatch{To: to, Code: "123456"}))
	}
}

func TestACityWithoutTextsTellsByLetter(t *testing.T) {
	t.Parallel()

	r, a := newRig(t, false), Asker{Lang: "pt-BR"}
	if r.Texts() || len(r.Countries()) != 0 {
		t.Error("offers texts")
	}
	if err := r.code(a, Confirm, factor.Dispatch{To: textTo, Code: "123456"}); !errors.Is(err, factor.ErrWay) {
		t.Errorf("a code by text: %v", err)
	}
	r.must(r.announce(a, factor.Announcement{Event: factor.Event{Kind: factor.PasswordChanged}, To: textTo, Token: "t"}))
	r.must(pg.InTx(t.Context(), r.db, func(tx pg.Tx) error { return r.Displaced(a)(t.Context(), tx, letterTo) }))
	if letter := r.arrived(letterTo); !strings.Contains(letter.Text, issuer+"/privacidade") {
		t.Errorf("%q", letter.Text)
	}
}

func TestWhatIsRolledBackIsToldToNobody(t *testing.T) {
	t.Parallel()

	r, undo := newRig(t, true), errors.New("undo")
	err := pg.InTx(t.Context(), r.db, func(tx pg.Tx) error {
		for _, to := range []factor.Destination{letterTo, textTo} {
			if err := r.Announcer(Asker{Lang: "pt-BR"})(t.Context(), tx, factor.Announcement{Event: factor.Event{Kind: factor.TOTPAdded}, To: to, Token: "t"}); err != nil {
				return err
			}
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	if n := r.count(`SELECT (SELECT count(*) FROM sms_message) + (SELECT count(*) FROM river_job WHERE kind IN ('mail', 'sms'))`); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func (r *rig) count(sql string) (n int) {
	r.t.Helper()
	r.must(r.db.QueryRow(r.t.Context(), sql).Scan(&n))
	return n
}

// Every kind of event must be told, and fit one text with the longest names there are.
func TestEveryEventHasItsWordsAndFitsOneText(t *testing.T) {
	t.Parallel()

	look, err := themes.Load("", "")
	if err != nil {
		t.Fatal(err)
	}
	kinds := []factor.EventKind{factor.SignedIn, factor.SessionsEnded, factor.MailChanged, factor.HoldLifted, factor.SaidNotMe, factor.Displaced}
	for k := range topics {
		kinds = append(kinds, k)
	}
	args := map[string]any{"CityShort": "Santa Bárbara d’Oeste", "Link": "https://login.santabarbara.sp.gov.br" + PathNotMe + secret.ShortToken()}
	for _, lang := range themes.Languages {
		for _, k := range kinds {
			if _, err := look.Message(lang, "event."+string(k), nil); err != nil {
				t.Error(err)
			}
			words, err := look.Message(lang, "sms.changed."+topic(k), args)
			if err != nil {
				t.Error(err)
			}
			if n, most := sms.Length(sms.Fold(words)); n > most || most != 160 {
				t.Errorf("%s: %s has %d of %d characters: %s", lang, k, n, most, words)
			}
		}
	}
}
