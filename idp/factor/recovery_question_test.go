package factor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
)

func TestTheSecretQuestionIsOffUnlessTheCityWantsIt(t *testing.T) {
	t.Parallel()

	h := newHomeWith(t, false)
	if err := h.SetQuestion(t.Context(), h.db, h.person, "Escola?", "São José"); !errors.Is(err, factor.ErrWay) {
		t.Errorf("set: %v", err)
	}
	err := h.inTx(func(tx pg.Tx) error {
		_, err := h.Start(t.Context(), tx, maria, factor.WayQuestion, h.browser, uuid.Nil, nil)
		return err
	})
	if !errors.Is(err, factor.ErrWay) {
		t.Errorf("started: %v", err)
	}
}

func TestTheSecretQuestionIsNeverAskedBeforeTheCode(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	h.must(h.SetQuestion(t.Context(), h.db, h.person, "  Nome da  escola? ", "São José"))
	id, d := h.start(maria, factor.WayQuestion)
	if q, err := h.Question(t.Context(), h.db, id, h.browser); !errors.Is(err, factor.ErrRecovery) {
		t.Errorf("shown as %q: %v", q, err)
	}
	if ok, _, err := h.Answer(t.Context(), h.db, id, h.browser, "São José"); ok || err != nil {
		t.Error("answered before the code", err)
	}
	h.prove(id, d.Code)
	if q, err := h.Question(t.Context(), h.db, id, h.browser); q != "Nome da escola?" || err != nil {
		t.Errorf("shown as %q: %v", q, err)
	}
	if ok, left, err := h.Answer(t.Context(), h.db, id, h.browser, "Santa Maria"); ok || left != 4 || err != nil {
		t.Errorf("a wrong answer: %v, %d left, %v", ok, left, err)
	}
	if n := h.count(`SELECT count(*) FROM secret_question WHERE position('escola' in encode(question, 'escape')) > 0 OR answer_hash !~ '^\$argon2id\$v=19\$m=19456'`); n != 0 {
		t.Error("the question lies open, or the answer is hashed otherwise")
	}
	h.must(factor.RemoveQuestion(t.Context(), h.db, h.person))
	if h.enrolled().Question {
		t.Error("it is there after its removal")
	}
}

func TestAnAnswerMayBeWrittenInManyWays(t *testing.T) {
	t.Parallel()

	const want = "grupo escolar sao jose 2"
	for _, typed := range []string{"Grupo Escolar São José 2", "GRUPO ESCOLAR SAO JOSÉ, 2.", "  grupo\tescolar  são-josé (2)", "Grupo Escolar Sa\u0303o Jose\u0301 ２"} {
		if got := factor.NormalizeAnswer(typed); got != want || factor.NormalizeAnswer(got) != want {
			t.Errorf("%q is %q", typed, got)
		}
	}
	if factor.NormalizeAnswer("Rex") == factor.NormalizeAnswer("Rex 2") || factor.NormalizeAnswer("\xff\xfe") != "" {
		t.Error("different answers are alike")
	}
}

func TestAQuestionThatGivesItsAnswerAwayIsRefused(t *testing.T) {
	t.Parallel()

	h := newHome(t)
	for _, c := range []struct{ question, answer string }{{"", "São José"}, {strings.Repeat("a", 121), "São José"}, {"Escola?", "abc"},
		{"Escola?", ". . . ."}, {"Minha escola é São José?", "sao jose"}} {
		if err := h.SetQuestion(t.Context(), h.db, h.person, c.question, c.answer); !errors.Is(err, factor.ErrQuestion) {
			t.Errorf("%.20q, %.20q: %v", c.question, c.answer, err)
		}
	}
}

func FuzzNormalizeAnswer(f *testing.F) {
	for _, s := range []string{"São José", "", "ﬁ ½ ǅ", "\xff", "İstanbul", "ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := factor.NormalizeAnswer(s)
		if twice := factor.NormalizeAnswer(once); len(once) < 2000 && twice != once {
			t.Fatalf("%q becomes %q, then %q", s, once, twice)
		}
		if strings.HasPrefix(once, " ") || strings.Contains(once, "  ") {
			t.Fatalf("%q keeps spaces: %q", s, once)
		}
	})
}
