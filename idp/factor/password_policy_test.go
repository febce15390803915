package factor

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()

	const cpf, mail = "52998224725", "maria@exemplo.org"
	for _, c := range []struct {
		name, password string
		want           error
	}{
		{"seven characters", "x9#kQ2v", ErrPasswordShort},
		{"empty", "", ErrPasswordShort},
		{"seven characters in fourteen bytes", "çãéíóúâ", ErrPasswordShort},
		{"seven characters decomposed", "c\u0327a\u0303e\u0301i\u0301o\u0301u\u0301a\u0302", ErrPasswordShort},
		{"eight characters", "x9#kQ2vL", nil},
		{"128 characters", strings.Repeat("ã1", 64), nil},
		{"128 characters decomposed", strings.Repeat("a\u03031", 64), nil},
		{"129 characters", strings.Repeat("a1b2c3d4e", 14) + "xyz", ErrPasswordLong},
		{"a megabyte", strings.Repeat("ab", 1<<19), ErrPasswordLong},
		{"words and spaces", "coruja no telhado", nil},
		{"another script", "どこでもドアを開ける", nil},
		{"the demo's password", "Vila-Esperanca-2026", nil},
		{"common", "12345678", ErrPasswordCommon},
		{"common in capitals", "SENHA123", ErrPasswordCommon},
		{"common with spaces around", " senha123 ", ErrPasswordCommon},
		{"common in full width", "１２３４５６７８", ErrPasswordCommon},
		{"common with an accent", "Deus é Fiel", ErrPasswordCommon},
		{"club", "flamengo", ErrPasswordCommon},
		{"club and year", "Palmeiras2024", ErrPasswordCommon},
		{"office default", "mudar123", ErrPasswordCommon},
		{"a comment of the list", "# a line that starts with '#' is a comment.", nil},
		{"own CPF", cpf, ErrPasswordIsCPF},
		{"own CPF punctuated", "529.982.247-25", ErrPasswordIsCPF},
		{"another number", "52998224726", nil},
		{"own mail address", "Maria@Exemplo.org", ErrPasswordIsCPF},
	} {
		if err := CheckPassword(c.password, cpf, mail); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestCheckPasswordWithoutCPFAndMail(t *testing.T) {
	t.Parallel()

	if err := CheckPassword("- . - . - . -", "", ""); err != nil {
		t.Errorf("punctuation alone, nobody's CPF: %v", err)
	}
}

// Entries that CheckPassword could never meet would be dead weight in every process.
func TestCommonListIsFoldedSortedAndLarge(t *testing.T) {
	t.Parallel()

	if n := len(commonPasswords()); n < 10_000 {
		t.Errorf("%d common passwords", n)
	}
	if len(commonText) > 200<<10 {
		t.Errorf("the list has %d bytes", len(commonText))
	}
	last := ""
	for line := range strings.Lines(commonText) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if fold(line) != line || utf8.RuneCountInString(line) < minPasswordRunes {
			t.Errorf("%q is not folded or is short", line)
		}
		if line <= last {
			t.Errorf("%q comes after %q", line, last)
		}
		last = line
	}
}
