package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/idp/visitor"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

const registryResealHelp = `loginunico registry reseal [-retire]: seal what old data keys have sealed again under the newest ones
(loginunico keys data rotate makes them), while everybody works on: people and records, ways in and back,
the keys that sign tokens and the audit. It may be ended and run again.

  -retire   then remove the old keys, if nothing of theirs was found; an old key of "seal" only eight days
            after its successor came, because letters and visits that wait are not sealed again

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const registryRekeyHelp = `loginunico registry rekey [-retire]: make the look-up by CPF, CNPJ and visitors' numbers anew under the newest index key
(loginunico keys data rotate index makes one; it is used after ten minutes). Everybody is found all the
time. Batch loads wait until it has ended and the old key was removed.

  -retire   then remove the old index keys

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryReseal(ctx context.Context, args []string, out io.Writer) error {
	return renew(ctx, "registry reseal", args, out, func(s *stack) (n renewed, err error) {
		if n.Renewed, err = registry.NewStore(s.box).Reseal(ctx, s.db); err != nil {
			return n, err
		}
		if n.factors, err = factor.Reseal(ctx, s.db, s.box); err != nil {
			return n, err
		}
		numbers, err := visitor.Reseal(ctx, s.db, s.box)
		if n.factors += numbers; err != nil {
			return n, err
		}
		signing, err := keys.Reseal(ctx, s.db, s.box)
		if err != nil {
			return n, err
		}
		roots, err := audit.ResealKeys(ctx, s.db, s.box)
		n.keys = signing + roots
		return n, err
	})
}

func runRegistryRekey(ctx context.Context, args []string, out io.Writer) error {
	return renew(ctx, "registry rekey", args, out, func(s *stack) (n renewed, err error) {
		people := registry.NewStore(s.box)
		if n.Renewed, err = people.Rekey(ctx, s.db); err != nil {
			return n, err
		}
		n.factors, err = visitor.New(s.box, people, time.Now).Rekey(ctx, s.db)
		return n, err
	})
}

// renewed counts what either has made anew.
type renewed struct {
	registry.Renewed
	factors int64 // ways in and back
	keys    int64 // that sign
}

// renew runs one of the two and, where that is asked and nothing is left, removes the old keys.
func renew(ctx context.Context, name string, args []string, out io.Writer, do func(*stack) (renewed, error)) error {
	given := flags(name)
	retire := given.Bool("retire", false, "remove the old keys")
	if _, err := parse(given, args, 0, 0); err != nil {
		return err
	}
	return manageData(ctx, func(s *stack, kek secret.KEK) error {
		n, err := do(s)
		fmt.Fprintf(out, "anew: %d people, %d records, %d decisions, %d look-ups, %d ways in, %d keys\n",
			n.People, n.Records, n.Overrides, n.Documents, n.factors, n.keys)
		if err != nil || !*retire {
			return err
		}
		if n, err = do(s); err != nil || n != (renewed{}) {
			return orSay(err, "something came in under an old key meanwhile; run it again")
		}
		retired, err := registry.RetireOld(ctx, s.db, kek, name == "registry rekey", time.Now())
		for _, k := range retired {
			fmt.Fprintf(out, "%s: key %s removed\n", k.Purpose, k.Name())
		}
		return err
	})
}

func orSay(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", otherwise)
}
