package fail_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/loginunico/loginunico/internal/fail"
)

var errBusy = fail.New(fail.Throttled, "too_many_tries")

func TestCopiesOfOneErrorAreTheSameError(t *testing.T) {
	t.Parallel()

	copied := errBusy.With(map[string]any{"minutes": 5})
	wrapped := fmt.Errorf("interaction 7: %w", copied)
	if !errors.Is(wrapped, errBusy) {
		t.Error("a wrapped copy is not the declared error")
	}
	if errors.Is(wrapped, fail.New(fail.Throttled, "other")) {
		t.Error("another code matched")
	}
	if errors.Is(wrapped, fail.New(fail.Invalid, "too_many_tries")) {
		t.Error("another kind matched")
	}
}

func TestKindCodeAndArgsSurviveWrapping(t *testing.T) {
	t.Parallel()

	err := fmt.Errorf("a: %w", errors.Join(errors.New("noise"), errBusy.With(map[string]any{"minutes": 5})))
	if got := fail.KindOf(err); got != fail.Throttled {
		t.Errorf("kind %v", got)
	}
	if got := fail.CodeOf(err); got != "too_many_tries" {
		t.Errorf("code %q", got)
	}
	if got := fail.ArgsOf(err)["minutes"]; got != 5 {
		t.Errorf("minutes %v", got)
	}
}

func TestUnknownErrorIsInternal(t *testing.T) {
	t.Parallel()

	for _, err := range []error{nil, errors.New("disk full")} {
		if fail.KindOf(err) != fail.Internal || fail.CodeOf(err) != "internal" || fail.ArgsOf(err) != nil {
			t.Errorf("%v: %v %q %v", err, fail.KindOf(err), fail.CodeOf(err), fail.ArgsOf(err))
		}
	}
}

func TestWithLeavesTheDeclaredErrorAlone(t *testing.T) {
	t.Parallel()

	first := errBusy.With(map[string]any{"minutes": 5})
	second := first.With(map[string]any{"field": "cpf"})
	fail.ArgsOf(second)["minutes"] = 9
	if fail.ArgsOf(errBusy) != nil || len(fail.ArgsOf(first)) != 1 {
		t.Error("With changed its receiver")
	}
	if args := fail.ArgsOf(second); args["minutes"] != 5 || args["field"] != "cpf" {
		t.Errorf("args %v", args)
	}
}

func TestErrorTextHasNoArguments(t *testing.T) {
	t.Parallel()

	if got := errBusy.With(map[string]any{"cpf": "52998224725"}).Error(); got != "too_many_tries" {
		t.Errorf("text %q", got)
	}
}

func TestEveryKindHasItsOwnName(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for k := fail.Internal; k <= fail.TooLarge; k++ {
		if name := k.String(); name == "" || seen[name] {
			t.Errorf("kind %d: %q", k, name)
		} else {
			seen[name] = true
		}
	}
	if got := fail.Kind(99).String(); got != "internal" {
		t.Errorf("unknown kind %q", got)
	}
}
