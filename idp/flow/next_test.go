package flow

import (
	"slices"
	"testing"
	"time"
)

var (
	began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	hour  = time.Hour
)

// ready are the facts of a citizen at whom nothing is missing: an hour-old session, level 3.
func ready(change ...func(*Facts)) Facts {
	f := Facts{StartedAt: began, SignedIn: true, AuthTime: began.Add(-time.Hour), Level: 3, Cap: 3, Subject: "sub-1"}
	for _, c := range change {
		c(&f)
	}
	return f
}

func TestNextGoesOneStepAtATime(t *testing.T) {
	t.Parallel()

	minute := time.Minute
	fresh := func(f *Facts) { f.AuthTime = began.Add(time.Second) }
	out := func(f *Facts) { *f = Facts{StartedAt: began} }
	for _, tc := range []struct {
		name  string
		needs Needs
		facts Facts
		want  Step
	}{
		{"nobody", Needs{}, ready(out), Identify},
		{"a CPF was typed", Needs{}, ready(out, func(f *Facts) { f.CPFTyped = true }), Authenticate},
		{"a busy CPF", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Busy = true, true }), UnlockByMail},
		{"a busy CPF whose owner answered", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Busy, f.Unlocked = true, true, true }), Authenticate},
		{"a right password in an account of two steps", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Halfway = true, true }), SecondStep},
		{"its codes were guessed at", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Halfway, f.Busy = true, true, true }), UnlockByMail},
		{"a new account", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Registering = true, true }), ConfirmChannel},
		{"a visitor's number", Needs{}, ready(out, func(f *Facts) { f.NumberTyped = true }), ConfirmNumber},
		{"a visitor's number that may be another's", Needs{}, ready(out, func(f *Facts) { f.NumberTyped, f.InDoubt = true, true }), ConfirmVisitor},
		{"a visitor", Needs{}, ready(func(f *Facts) { f.Visitor = true }), Issue},
		{"a visitor where a CPF is needed", Needs{CPF: true}, ready(func(f *Facts) { f.Visitor = true }), CPFRequired},
		{"a visitor where a CPF and a level are needed", Needs{CPF: true, Level: 5}, ready(func(f *Facts) { f.Visitor = true }), CPFRequired},
		{"a visitor who has a CPF by now", Needs{CPF: true}, ready(func(f *Facts) { f.Visitor, f.Joining = true, true }), Identify},
		{"a visitor who typed it", Needs{CPF: true}, ready(func(f *Facts) { f.Visitor, f.Joining, f.CPFTyped = true, true, true }), Authenticate},
		{"a visitor at the account pages", Needs{FirstParty: true}, ready(func(f *Facts) { f.Visitor = true }), Issue},
		{"a visitor who adds a CPF at the account pages", Needs{FirstParty: true, CPF: true}, ready(func(f *Facts) { f.Visitor = true }), CPFRequired},
		{"prompt=login, a visitor", Needs{Prompt: []string{"login"}}, ready(func(f *Facts) { f.Visitor = true }), Identify},
		{"a citizen at a service for employees", Needs{Staff: true, Level: 4}, ready(), NotEmployee},
		{"an employee who is known too little", Needs{Staff: true, Level: 4}, ready(func(f *Facts) { f.Employee, f.Second, f.Cap = true, true, 4 }), LevelTooLow},
		{"an employee with a password alone", Needs{Staff: true, Level: 4}, ready(func(f *Facts) { f.Employee, f.Level = true, 4 }), LevelTooLow},
		{"an employee with one strong factor", Needs{Staff: true, Level: 4}, ready(func(f *Facts) { f.Employee, f.Level, f.Cap = true, 4, 4 }), LevelTooLow},
		{"an employee with two factors", Needs{Staff: true, Level: 4}, ready(func(f *Facts) { f.Employee, f.Second, f.Level, f.Cap = true, true, 4, 4 }), Issue},
		{"a visitor at a service for employees", Needs{Staff: true, CPF: true}, ready(func(f *Facts) { f.Visitor = true }), CPFRequired},
		{"an employee as a citizen", Needs{}, ready(func(f *Facts) { f.Employee = true }), Issue},
		{"a citizen where a CPF is needed", Needs{CPF: true}, ready(), Issue},
		{"a new account at a busy CPF", Needs{}, ready(out, func(f *Facts) { f.CPFTyped, f.Busy, f.Registering = true, true, true }), ConfirmChannel},
		{"nothing missing", Needs{}, ready(), Issue},
		{"the account pages", Needs{FirstParty: true}, ready(func(f *Facts) { f.Missing, f.Undecided = true, true }), Issue},
		{"the security page, a session as strong as the account", Needs{FirstParty: true, Strength: 4}, ready(func(f *Facts) { f.Cap = 4 }), Issue},
		{"the security page, a weaker session", Needs{FirstParty: true, Strength: 4}, ready(), Strengthen},
		{"another session in this browser", Needs{}, ready(func(f *Facts) { f.Switched = true }), SelectAccount},
		{"another session, at the account pages", Needs{FirstParty: true}, ready(func(f *Facts) { f.Switched = true }), SelectAccount},
		{"a company is missing", Needs{}, ready(func(f *Facts) { f.Company, f.Missing, f.Undecided = true, true, true }), Company},
		{"a company and the level are missing", Needs{Level: 4}, ready(func(f *Facts) { f.Company = true }), LevelTooLow},
		{"data is missing", Needs{}, ready(func(f *Facts) { f.Missing, f.Undecided = true, true }), Profile},
		{"a decision is missing", Needs{}, ready(func(f *Facts) { f.Undecided = true }), Consent},
		{"the level is missing before the rest", Needs{Level: 4}, ready(func(f *Facts) { f.Missing, f.Undecided = true, true }), LevelTooLow},
		{"the person is known too little", Needs{Level: 3}, ready(func(f *Facts) { f.Level, f.Cap = 2, 5 }), LevelTooLow},
		{"the session is too weak", Needs{Level: 3}, ready(func(f *Facts) { f.Level, f.Cap = 5, 2 }), LevelTooLow},
		{"just the level", Needs{Level: 3}, ready(), Issue},

		{"prompt=login, old session", Needs{Prompt: []string{"login"}}, ready(), Authenticate},
		{"prompt=login, busy CPF", Needs{Prompt: []string{"login"}}, ready(func(f *Facts) { f.Busy = true }), UnlockByMail},
		{"prompt=login, signed in since", Needs{Prompt: []string{"login"}}, ready(fresh), Issue},
		{"prompt=login, nobody", Needs{Prompt: []string{"login"}}, ready(out), Identify},
		{"max_age held", Needs{MaxAge: &hour}, ready(), Issue},
		{"max_age passed", Needs{MaxAge: &minute}, ready(), Authenticate},
		{"max_age=0, old session", Needs{MaxAge: new(time.Duration)}, ready(), Authenticate},
		{"max_age=0, signed in since", Needs{MaxAge: new(time.Duration)}, ready(fresh), Issue},
		{"prompt=select_account", Needs{Prompt: []string{"select_account"}}, ready(), SelectAccount},
		{"prompt=select_account, chosen", Needs{Prompt: []string{"select_account"}}, ready(func(f *Facts) { f.Chosen = true }), Issue},
		{"prompt=consent", Needs{Prompt: []string{"consent"}}, ready(), Consent},
		{"prompt=consent, decided", Needs{Prompt: []string{"consent"}}, ready(func(f *Facts) { f.Decided = true }), Issue},
		{"prompt=login consent asks for both", Needs{Prompt: []string{"login", "consent"}}, ready(fresh), Consent},
		{"prompt=none is not a step", Needs{Prompt: []string{"none"}}, ready(), Issue},

		{"the person the service expects", Needs{Subject: "sub-1"}, ready(), Issue},
		{"another person", Needs{Subject: "sub-2"}, ready(), Authenticate},
		{"another person, without a sub yet", Needs{Subject: "sub-2"}, ready(func(f *Facts) { f.Subject = "" }), Authenticate},
		{"another person even after signing in", Needs{Subject: "sub-2"}, ready(fresh), WrongPerson},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Next(tc.needs, tc.facts); got != tc.want {
				t.Errorf("got step %d, want %d", got, tc.want)
			}
		})
	}
}

func TestEveryStepButTheLastHasAnErrorForPromptNone(t *testing.T) {
	t.Parallel()

	want := map[Step]string{Identify: "login_required", ConfirmChannel: "login_required", UnlockByMail: "login_required",
		ConfirmNumber: "login_required", ConfirmVisitor: "login_required", CPFRequired: "interaction_required", NotEmployee: "access_denied",
		Authenticate: "login_required", SecondStep: "login_required", SelectAccount: "account_selection_required", WrongPerson: "login_required",
		Strengthen: "unmet_authentication_requirements", LevelTooLow: "unmet_authentication_requirements", Company: "interaction_required", Profile: "interaction_required", Consent: "consent_required", Issue: ""}
	for step := Identify; step <= Issue; step++ {
		if got, ok := want[step]; !ok || step.PromptNoneError() != got {
			t.Errorf("step %d: %q, want %q", step, step.PromptNoneError(), got)
		}
		if pathOf[step] == "" {
			t.Errorf("step %d has no page", step)
		}
	}
}

// FuzzNext builds every combination of facts out of the bits of a number and holds Next to what
// must be true wherever it issues, whatever the switch looks like.
func FuzzNext(f *testing.F) {
	f.Add(uint32(0), uint8(0), 3, 3, 0, int64(-3600), int64(60), "sub-1", "")
	f.Add(uint32(1<<4), uint8(0), 3, 3, 3, int64(-3600), int64(-1), "sub-1", "sub-1")
	f.Add(uint32(1<<4|1<<5), uint8(15), 5, 5, 1, int64(5), int64(0), "", "sub-2")
	f.Fuzz(func(t *testing.T, bits uint32, prompts uint8, level, strength, needed int, auth, age int64, subject, expected string) {
		bit := func(n int) bool { return bits>>n&1 == 1 }
		facts := Facts{StartedAt: began, CPFTyped: bit(0), Registering: bit(1), Busy: bit(2), Unlocked: bit(3), SignedIn: bit(4),
			Chosen: bit(5), Switched: bit(6), Missing: bit(7), Undecided: bit(8), Decided: bit(9), Halfway: bit(11),
			NumberTyped: bit(15), InDoubt: bit(16), Visitor: bit(17), Joining: bit(18), Employee: bit(20), Second: bit(21), Company: bit(23),
			AuthTime: began.Add(time.Duration(auth%1e6) * time.Second), Level: level, Cap: strength, Subject: subject}
		needs := Needs{Subject: expected, Level: needed, FirstParty: bit(10), Strength: int(bits >> 12 & 7), CPF: bit(19), Staff: bit(22)}
		for i, p := range []string{"login", "consent", "select_account", "none"} {
			if prompts>>i&1 == 1 {
				needs.Prompt = append(needs.Prompt, p)
			}
		}
		if age >= 0 {
			d := time.Duration(age%1e6) * time.Second
			needs.MaxAge = &d
		}
		step := Next(needs, facts)
		if step < Identify || step > Issue {
			t.Fatalf("%d is no step", step)
		}
		if (step == Issue) != (step.PromptNoneError() == "") {
			t.Fatalf("step %d answers prompt=none with %q", step, step.PromptNoneError())
		}
		if why := missingFact(needs, facts); step == Issue && why != "" {
			t.Fatalf("issued although %s\n%+v\n%+v", why, needs, facts)
		} else if step != Issue && why == "" {
			t.Fatalf("step %d although nothing is missing\n%+v\n%+v", step, needs, facts)
		}
	})
}

// missingFact says, without any order, why nothing may be issued; "" when it may.
func missingFact(n Needs, f Facts) string {
	asks := func(p string) bool { return slices.Contains(n.Prompt, p) }
	switch {
	case !f.SignedIn:
		return "nobody is signed in"
	case asks("login") && f.AuthTime.Before(f.StartedAt):
		return "prompt=login and no sign-in since"
	case n.MaxAge != nil && f.StartedAt.Sub(f.AuthTime) > *n.MaxAge:
		return "the sign-in is older than max_age"
	case f.Switched:
		return "the browser's session is another one"
	case asks("select_account") && !f.Chosen:
		return "no account was chosen"
	case n.Subject != "" && n.Subject != f.Subject:
		return "it is another person"
	case n.CPF && f.Visitor:
		return "the person has no CPF"
	case n.Staff && !(f.Employee && f.Second):
		return "the person does not act for the city"
	case f.Level < n.Level, f.Cap < n.Level:
		return "the level is too low"
	case n.FirstParty && f.Cap < n.Strength:
		return "the session is too weak for the page"
	case n.FirstParty:
		return ""
	case f.Company:
		return "nobody knows for which company"
	case f.Missing:
		return "data is missing"
	case f.Undecided:
		return "something was never shown"
	case asks("consent") && !f.Decided:
		return "prompt=consent and no decision"
	}
	return ""
}
