package main

import (
	"context"
	"fmt"
	"io"

	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/registry"
)

const registryResealHelp = `loginunico registry reseal [-retire]: seal what old data keys have sealed again under the newest ones
(loginunico keys data rotate makes them), while everybody works on. It may be ended and run again.

  -retire   then remove the old keys, if nothing of theirs was found

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const registryRekeyHelp = `loginunico registry rekey [-retire]: make the look-up by CPF and CNPJ anew under the newest index key
(loginunico keys data rotate index makes one; it is used after ten minutes). Everybody is found all the
time. Batch loads wait until it has ended and the old key was removed.

  -retire   then remove the old index keys

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

func runRegistryReseal(ctx context.Context, args []string, out io.Writer) error {
	return renew(ctx, "registry reseal", args, out, func(s *stack) (registry.Renewed, error) {
		return registry.NewStore(s.box).Reseal(ctx, s.db)
	})
}

func runRegistryRekey(ctx context.Context, args []string, out io.Writer) error {
	return renew(ctx, "registry rekey", args, out, func(s *stack) (registry.Renewed, error) {
		return registry.NewStore(s.box).Rekey(ctx, s.db)
	})
}

// renew runs one of the two and, where that is asked and nothing is left, removes the old keys.
func renew(ctx context.Context, name string, args []string, out io.Writer, do func(*stack) (registry.Renewed, error)) error {
	given := flags(name)
	retire := given.Bool("retire", false, "remove the old keys")
	if _, err := parse(given, args, 0, 0); err != nil {
		return err
	}
	return manageData(ctx, func(s *stack, kek secret.KEK) error {
		n, err := do(s)
		fmt.Fprintf(out, "anew: %d people, %d records, %d decisions, %d look-ups\n", n.People, n.Records, n.Overrides, n.Documents)
		if err != nil || !*retire {
			return err
		}
		if n, err = do(s); err != nil || n != (registry.Renewed{}) {
			return orSay(err, "something came in under an old key meanwhile; run it again")
		}
		retired, err := registry.RetireOld(ctx, s.db, kek, name == "registry rekey")
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
