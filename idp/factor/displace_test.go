package factor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	vw "github.com/descope/virtualwebauthn"
	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

func evidence(k trust.Kind) trust.Evidence {
	return trust.Evidence{Kind: k, Source: "test", Method: "test", Verifier: "test", VerifiedAt: noon.Add(-time.Hour)}
}

func TestWhichEvidenceDisplacesWhich(t *testing.T) {
	t.Parallel()

	const none = trust.Kind("")
	order := []trust.Kind{none, trust.SelfDeclared, trust.RegistryMatch, trust.GovBR, trust.BiometricEnrollment, trust.ICPCertificate}
	displaced := map[trust.Kind][]trust.Kind{ // by what
		none:                      {trust.GovBR, trust.BiometricEnrollment, trust.ICPCertificate},
		trust.SelfDeclared:        {trust.GovBR, trust.BiometricEnrollment, trust.ICPCertificate},
		trust.RegistryMatch:       {trust.GovBR, trust.BiometricEnrollment, trust.ICPCertificate},
		trust.GovBR:               {trust.BiometricEnrollment, trust.ICPCertificate},
		trust.BiometricEnrollment: {trust.ICPCertificate},
	}
	for _, account := range order {
		var held []trust.Evidence
		if account != none {
			held = []trust.Evidence{evidence(trust.SelfDeclared), evidence(account)}
		}
		for _, proof := range order[1:] {
			want := factor.Joins
			if slices.Contains(displaced[account], proof) {
				want = factor.Displaces
			}
			if got := factor.Decide(held, evidence(proof), false, noon); got != want {
				t.Errorf("%q meets %q: %d", account, proof, got)
			}
			if got := factor.Decide(held, evidence(proof), true, noon); got != factor.Joins {
				t.Errorf("%q meets %q of the holder's own: %d", account, proof, got)
			}
		}
		if offer := factor.OfferToJoin(held, noon); offer != (factor.Weight(account) > 0) {
			t.Errorf("%q: offer to join %v", account, offer)
		}
	}
}

func TestOnlyLiveEvidenceDisplacesOrHolds(t *testing.T) {
	t.Parallel()

	over, revoked, early := evidence(trust.ICPCertificate), evidence(trust.ICPCertificate), evidence(trust.ICPCertificate)
	over.ExpiresAt, revoked.RevokedAt, early.VerifiedAt = noon, noon, noon.Add(time.Second)
	for name, dead := range map[string]trust.Evidence{"expired": over, "revoked": revoked, "not yet": early} {
		if factor.Decide([]trust.Evidence{evidence(trust.SelfDeclared)}, dead, false, noon) != factor.Joins {
			t.Errorf("%s: displaces", name)
		}
		if factor.Decide([]trust.Evidence{dead}, evidence(trust.GovBR), false, noon) != factor.Displaces {
			t.Errorf("%s: holds", name)
		}
	}
}

// squat is a home whose account was opened by somebody's word alone, with all that one can enrol.
type squat struct {
	*home
	*factor.Displacer
	ender
	letters []factor.Destination
}

func newSquat(t *testing.T) *squat {
	t.Helper()
	s := &squat{home: newHome(t)}
	s.Displacer = factor.NewDisplacer(s.box, trust.Lifetimes{}, &s.ender, func(_ context.Context, _ pg.Tx, to factor.Destination) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.letters = append(s.letters, to)
		return nil
	}, s.clock.Now)
	return s
}

func (s *squat) bring(k trust.Kind, mine bool) (claim factor.Claim, err error) {
	e := evidence(k)
	e.VerifiedAt = s.clock.Now()
	if k == trust.ICPCertificate {
		e.ExpiresAt = e.VerifiedAt.AddDate(1, 0, 0)
	}
	err = s.inTx(func(tx pg.Tx) (err error) {
		claim, err = s.Bring(s.t.Context(), tx, s.person, e, mine)
		return err
	})
	return claim, err
}

func (s *squat) live() (kinds []trust.Kind) {
	s.t.Helper()
	all, err := trust.Of(s.t.Context(), s.db, s.person)
	s.must(err)
	for _, e := range all {
		if e.LiveAt(s.clock.Now()) {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func TestAStrongerProofEndsTheAccountAndTellsItsHolder(t *testing.T) {
	t.Parallel()

	s := newSquat(t)
	s.counts()
	d := s.device(vw.AuthenticatorOptions{})
	_, err := factor.RenewCodes(t.Context(), s.db, s.person, s.clock.Now())
	s.must(err)
	s.reach(factor.PhoneChannel, phoneOfMaria)
	s.must(s.SetQuestion(t.Context(), s.db, s.person, "Escola?", "São José"))
	s.exec(`INSERT INTO known_browser (person_id, browser_hash, seen_at) VALUES ($1, $2, now())`, s.person, s.browser)
	_, told := s.announce(factor.SignedIn)
	recovery, code := s.start(maria, factor.WayMail)
	s.prove(recovery, code.Code)
	signed := s.clock.Now()
	s.clock.Advance(time.Minute)

	claim, err := s.bring(trust.GovBR, false)
	if err != nil || claim != factor.Displaces {
		t.Fatal(claim, err)
	}
	one := []uuid.UUID{s.person}
	if !slices.Equal(s.sessions, one) || !slices.Equal(s.tokens, one) || !slices.Equal(s.consents, one) || !slices.Equal(s.declared, one) {
		t.Errorf("ended %v %v %v %v", s.sessions, s.tokens, s.consents, s.declared)
	}
	if len(s.letters) != 2 || s.letters[0].Address != "maria@example.org" || s.letters[1].Address != phoneOfMaria {
		t.Errorf("told %+v", s.letters)
	}
	for _, table := range []string{"password", "passkey", "totp", "recovery_code", "channel", "secret_question", "recovery", "not_me", "known_browser", "webauthn_user", "recovery_hold"} {
		if n := s.count(`SELECT count(*) FROM ` + table); n != 0 {
			t.Errorf("%d rows stay in %s", n, table)
		}
	}
	if live := s.live(); !slices.Equal(live, []trust.Kind{trust.GovBR}) {
		t.Errorf("live: %v", live)
	}
	if _, _, err := d.login(nil); !errors.Is(err, factor.ErrCeremony) {
		t.Errorf("the old passkey: %v", err)
	}
	if _, err := s.finish(recovery); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("the recovery that was under way: %v", err)
	}
	if _, err := s.notMe(told[0].Token, new(ender)); !errors.Is(err, factor.ErrNotMe) {
		t.Errorf("the link in an old message: %v", err)
	}
	for since, want := range map[time.Time]error{signed: factor.ErrDisplaced, s.clock.Now().Add(time.Second): nil} {
		if err := s.inTx(func(tx pg.Tx) error { return factor.Guard(t.Context(), tx, s.person, since) }); !errors.Is(err, want) {
			t.Errorf("a change by a session of %v: %v", since, err)
		}
	}
	if n := s.count(`SELECT count(*) FROM displacement WHERE by_kind = 'govbr' AND held_by = 'self_declared' AND ended ->> 'passkeys' = '1'`); n != 1 {
		t.Errorf("%d rows of history", n)
	}
	if n := s.count(`SELECT count(*) FROM audit_pending WHERE action = 'account.displace' AND person_id = $1`, s.person); n != 1 {
		t.Errorf("%d in the audit", n)
	}
	events, err := factor.EventsOf(t.Context(), s.db, s.person, s.clock.Now(), 10)
	if err != nil || len(events) != 1 || events[0].Kind != factor.Displaced {
		t.Errorf("the owner is shown what the other one did: %+v, %v", events, err)
	}
	if n := s.count(`SELECT count(*) FROM factor_event`); n < 2 {
		t.Error("the other one's events are gone")
	}
}

func TestWhatIsNoStrongerEndsNothing(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		held  []trust.Kind
		proof trust.Kind
		mine  bool
	}{
		"a match of data":                 {nil, trust.RegistryMatch, false},
		"the holder's own gov.br":         {nil, trust.GovBR, true},
		"gov.br again":                    {[]trust.Kind{trust.GovBR}, trust.GovBR, false},
		"gov.br after a certificate":      {[]trust.Kind{trust.ICPCertificate}, trust.GovBR, false},
		"the holder's own, step by step":  {[]trust.Kind{trust.GovBR}, trust.ICPCertificate, true},
		"a match after gov.br, any order": {[]trust.Kind{trust.GovBR}, trust.RegistryMatch, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSquat(t)
			for _, k := range c.held {
				_, err := s.bring(k, true)
				s.must(err)
			}
			claim, err := s.bring(c.proof, c.mine)
			if err != nil || claim != factor.Joins || len(s.sessions)+len(s.letters) > 0 || s.password() != "$argon2id$old" {
				t.Errorf("%d, %v, %v", claim, s.sessions, err)
			}
			if live := s.live(); live[len(live)-1] != c.proof || live[0] != trust.SelfDeclared {
				t.Errorf("live: %v", live)
			}
		})
	}
}

func TestAProofWithoutAnAccountSimplyComesFirst(t *testing.T) {
	t.Parallel()

	s := newSquat(t)
	p, err := registry.NewStore(s.box).Create(t.Context(), s.db, registry.Person{CPF: joao}, s.clock.Now())
	s.must(err)
	s.person = p.ID
	if claim, err := s.bring(trust.ICPCertificate, false); claim != factor.Joins || err != nil || len(s.sessions) > 0 {
		t.Error(claim, s.sessions, err)
	}
	if n := s.count(`SELECT count(*) FROM displacement`); n != 0 {
		t.Error("history of nothing")
	}
}

func TestOfManyProofsAtOnceOneDisplaces(t *testing.T) {
	t.Parallel()

	s := newSquat(t)
	won := s.together(func(int) (bool, error) {
		claim, err := s.bring(trust.GovBR, false)
		return claim == factor.Displaces, err
	})
	if won != 1 || len(s.sessions) != 1 || len(s.letters) != 1 || s.count(`SELECT count(*) FROM displacement`) != 1 {
		t.Errorf("%d of 100 displaced, %d letters", won, len(s.letters))
	}
}

func TestOfTwoKindsOfProofAtOnceTheWeakerNeverEndsTheStronger(t *testing.T) {
	t.Parallel()

	for range 5 {
		s := newSquat(t)
		kinds := []trust.Kind{trust.GovBR, trust.ICPCertificate}
		s.together(func(n int) (bool, error) {
			if n > 1 {
				return false, nil
			}
			claim, err := s.bring(kinds[n], false)
			return claim == factor.Displaces, err
		})
		if live := s.live(); len(live) != 2 || slices.Contains(live, trust.SelfDeclared) {
			t.Errorf("live: %v", live)
		}
		if n := s.count(`SELECT count(*) FROM displacement WHERE held_by = 'icp_certificate'`); n != 0 {
			t.Error("gov.br displaced a certificate")
		}
		if n := s.count(`SELECT count(*) FROM displacement WHERE held_by = 'self_declared'`); n != 1 {
			t.Errorf("the word alone was displaced %d times", n)
		}
		if s.enrolled().Password {
			t.Error("the password stays")
		}
	}
}

// A recovery of the former holder must not reach the next one, whichever of the two commits first:
// not even that of an account without password, whose new row a displacement under way cannot see.
func TestARecoveryAndADisplacementAtOnceLeaveNoPasswordOfTheFormerHolder(t *testing.T) {
	t.Parallel()

	for name, turned := range map[string]bool{"the recovery first": false, "the displacement first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSquat(t)
			s.device(vw.AuthenticatorOptions{})
			s.exec(`DELETE FROM password`)
			id, d := s.start(maria, factor.WayMail)
			s.prove(id, d.Code)
			finish := func(tx pg.Tx) error {
				_, err := s.Finish(t.Context(), tx, id, s.browser, "$argon2id$thief")
				return err
			}
			bring := func(tx pg.Tx) error {
				_, err := s.Bring(t.Context(), tx, s.person, evidence(trust.GovBR), false)
				return err
			}
			if turned {
				first, second := s.meanwhile(bring, finish)
				if first != nil || !errors.Is(second, factor.ErrRecovery) {
					t.Errorf("%v, %v", first, second)
				}
			} else if first, second := s.meanwhile(finish, bring); first != nil || second != nil {
				t.Errorf("%v, %v", first, second)
			}
			if s.enrolled().Password {
				t.Error("the former holder's new password works")
			}
		})
	}
}

func TestARecoveryStartedBeforeADisplacementIsVoidEvenIfItWasMissed(t *testing.T) {
	t.Parallel()

	s := newSquat(t)
	id, d := s.start(maria, factor.WayMail)
	s.prove(id, d.Code)
	_, err := s.bring(trust.GovBR, false)
	s.must(err)
	// As if its INSERT had committed just after the displacement looked.
	s.exec(`INSERT INTO recovery (id, person_id, browser_hash, way, code_hash, created_at, expires_at, proven_at)
		VALUES ($1, $2, $3, 'mail', sha256('x'), $4, $5, $4)`, id, s.person, s.browser, s.clock.Now(), s.clock.Now().Add(time.Hour))
	if _, err := s.finish(id); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("%v", err)
	}
}

func TestOnlyACPFThatNobodyHoldsOrProvedIsOpenToAWordAlone(t *testing.T) {
	t.Parallel()

	s := newSquat(t)
	claimable := func(p uuid.UUID) error {
		return s.inTx(func(tx pg.Tx) error { return factor.Claimable(t.Context(), tx, p, s.clock.Now()) })
	}
	if err := claimable(s.person); !errors.Is(err, factor.ErrHasAccount) {
		t.Errorf("one with a password: %v", err)
	}
	p, err := registry.NewStore(s.box).Create(t.Context(), s.db, registry.Person{CPF: brdoc.CPF(joao)}, s.clock.Now())
	s.must(err)
	s.must(claimable(p.ID))
	s.person = p.ID
	open := func() bool {
		_, taken, err := factor.Find(t.Context(), s.db, s.box, brdoc.CPF(joao), s.clock.Now())
		s.must(err)
		return !taken
	}
	_, err = s.bring(trust.RegistryMatch, false)
	s.must(err)
	s.must(claimable(p.ID))
	if !open() {
		t.Error("a match in the registry closes the CPF to the form")
	}
	_, err = s.bring(trust.GovBR, false)
	s.must(err)
	if err := claimable(p.ID); !errors.Is(err, factor.ErrProven) || open() {
		t.Errorf("one with a gov.br account: %v, and open to the form: %v", err, open())
	}
	err = s.inTx(func(tx pg.Tx) error {
		_, err := factor.Register(t.Context(), tx, registry.NewStore(s.box), factor.Registration{CPF: joao.Digits(), Email: "j@example.org", Hash: "$argon2id$x"}, s.clock.Now())
		return err
	})
	if !errors.Is(err, factor.ErrProven) {
		t.Errorf("registered by word alone: %v", err)
	}
}
