package main

import (
	"errors"
	"fmt"
	"os/user"

	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/record"
)

// login is who runs a command, for the audit.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

func operator(name string) audit.Actor { return audit.Actor{Kind: audit.Operator, ID: name} }

// inWords says in a sentence what the registry says by a code.
func inWords(err error) error {
	for known, words := range map[error]string{
		registry.ErrNotFound:   "the registry knows nobody by that, or knew nobody then",
		registry.ErrField:      "the registry has no such field; docs/mappings.md lists them",
		registry.ErrDocument:   "a CPF or CNPJ is not decided by hand: its source corrects it, or two people are merged",
		registry.ErrReason:     "the reason is missing, has a line break, or is longer than 500 bytes",
		registry.ErrNotPending: "nothing waits there; see: loginunico registry pending list",
		registry.ErrNotSet:     "no decision by hand holds for this field",
		registry.ErrRequired:   "the value is missing",
		registry.ErrNoPolicy:   "there is no such version of the policy",
	} {
		if errors.Is(err, known) {
			return errors.New(words)
		}
	}
	var why *record.Reason
	if errors.As(err, &why) {
		return fmt.Errorf("the value is refused: %s", why.Code)
	}
	return err
}
