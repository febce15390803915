package factor

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
)

// An answer has this many letters and digits at least, and a question this many characters at most.
const (
	minAnswer   = 4
	maxQuestion = 120
)

// ErrQuestion: the question is empty or long, or the answer has fewer than four letters or stands in
// the question.
var ErrQuestion = fail.New(fail.Invalid, "secret_question")

// SetQuestion keeps a person's secret question. Errors: ErrWay where the city has none,
// ErrQuestion, ErrBusy.
func (r *Recoveries) SetQuestion(ctx context.Context, db pg.DB, person uuid.UUID, question, answer string) error {
	question = strings.Join(strings.Fields(question), " ")
	plain := NormalizeAnswer(answer)
	switch {
	case !r.questions:
		return ErrWay
	case question == "" || !utf8.ValidString(question) || utf8.RuneCountInString(question) > maxQuestion,
		len(plain) > maxPasswordBytes, letters(plain) < minAnswer, strings.Contains(NormalizeAnswer(question), plain):
		return ErrQuestion
	}
	hash, err := r.hasher.Hash(ctx, plain)
	if err != nil {
		return err
	}
	sealed := r.box.Seal([]byte(question), questionAAD(person))
	return upsertQuestion(ctx, db, person, sealed, hash, r.now())
}

// RemoveQuestion takes the secret question away; none is no error.
func RemoveQuestion(ctx context.Context, db pg.DB, person uuid.UUID) error {
	return deleteQuestion(ctx, db, person)
}

// Question is what to ask in a recovery by [WayQuestion] whose code has come back. Error:
// ErrRecovery.
func (r *Recoveries) Question(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte) (string, error) {
	person, sealed, err := questionOf(ctx, db, id, browser, r.now())
	if err != nil {
		return "", err
	}
	question, err := r.box.Open(sealed, questionAAD(person))
	return string(question), err
}

// Answer tries an answer once; left is how many tries remain. The try is counted before it is made.
// Call it on the pool: a transaction would be held open while the answer is hashed. Error: ErrBusy.
func (r *Recoveries) Answer(ctx context.Context, db pg.DB, id uuid.UUID, browser []byte, typed string) (ok bool, left int, err error) {
	hash, left, err := tryAnswer(ctx, db, id, browser, r.now())
	if err != nil || hash == "" {
		return false, left, err
	}
	ok, err = r.hasher.Verify(ctx, hash, NormalizeAnswer(typed))
	if err != nil || !ok {
		return false, left, err
	}
	ok, err = answered(ctx, db, id, r.now())
	return ok, left, err
}

// NormalizeAnswer makes one text of all the ways in which people write the same answer: without
// capitals, accents, punctuation and doubled spaces.
func NormalizeAnswer(s string) string {
	if len(s) > maxPasswordBytes {
		s = s[:maxPasswordBytes]
	}
	plain, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFKC), strings.ToValidUTF8(s, " "))
	if err != nil {
		plain = s
	}
	words := strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	return strings.Join(words, " ")
}

func letters(s string) (n int) {
	for _, r := range s {
		if r != ' ' {
			n++
		}
	}
	return n
}

func questionAAD(person uuid.UUID) []byte { return append([]byte("secret_question"), person[:]...) }
