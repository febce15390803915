package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/brdoc"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/staff"
)

// deskCommands let a citizen back in who stands at a desk and has lost every address: one attendant
// asks, another approves. They are employees of the city, attendants or supervisors, named by CPF.
func deskCommands() []command {
	return []command{
		{"desk request", "-cpf N -attendant N -reason TEXT", "Ask that a citizen at the desk be let back in, who has shown a document. Prints the number that another attendant approves by, within an hour.", runDeskRequest},
		{"desk approve", "-approver N ID", "Approve what another attendant asked for, after a look at the document. Prints once the code to hand to the citizen, who types it at /recuperar/atendimento within an hour.", runDeskApprove},
		{"desk list", "", "List what waits to be approved, the oldest first.", runDeskList},
	}
}

// attendance is what the desk's commands share.
type attendance struct {
	citizen, attendant, approver, reason, actor string
}

func (a attendance) desk() *factor.Desk { return factor.NewDesk(a.actor, time.Now) }

func runDeskRequest(ctx context.Context, args []string, out io.Writer) error {
	var a attendance
	fs := flags("desk request")
	fs.StringVar(&a.citizen, "cpf", "", "CPF of the citizen")
	fs.StringVar(&a.attendant, "attendant", "", "CPF of who asks, an attendant or supervisor")
	fs.StringVar(&a.reason, "reason", "", "why")
	fs.StringVar(&a.actor, "actor", login(), "account that runs this")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if a.citizen == "" || a.attendant == "" || strings.TrimSpace(a.reason) == "" {
		return errUsage("-cpf, -attendant and -reason are all needed")
	}
	return manage(ctx, func(s *stack) error {
		var id uuid.UUID
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			citizen, err := s.accountOf(ctx, tx, a.citizen)
			if err != nil {
				return err
			}
			attendant, err := s.byCPF(ctx, tx, "-attendant", a.attendant)
			if err != nil {
				return err
			}
			id, err = a.desk().Request(ctx, tx, attendant.ID, citizen, a.reason)
			return deskWords("-attendant", err)
		})
		if err == nil {
			fmt.Fprintf(out, "%s waits for another attendant until %s\n", id, time.Now().Add(factor.DeskLifetime).Format("15:04"))
		}
		return err
	})
}

// accountOf is a citizen who has something to get back into.
func (s *stack) accountOf(ctx context.Context, tx pg.Tx, cpf string) (uuid.UUID, error) {
	p, err := s.byCPF(ctx, tx, "-cpf", cpf)
	if err != nil {
		return uuid.Nil, err
	}
	has, err := factor.EnrolledOf(ctx, tx, s.box, p.ID)
	if err == nil && !has.Password && len(has.Passkeys) == 0 {
		err = errors.New("-cpf: nobody has an account with this number")
	}
	return p.ID, err
}

func (s *stack) byCPF(ctx context.Context, db pg.DB, flag, typed string) (registry.Person, error) {
	cpf, err := brdoc.ParseCPF(typed)
	if err != nil {
		return registry.Person{}, fmt.Errorf("%s: the number is false", flag)
	}
	p, err := s.people.ByCPF(ctx, db, cpf)
	if err != nil {
		return p, fmt.Errorf("%s: %w", flag, inWords(err))
	}
	return p, nil
}

func runDeskApprove(ctx context.Context, args []string, out io.Writer) error {
	var a attendance
	fs := flags("desk approve")
	fs.StringVar(&a.approver, "approver", "", "CPF of who approves, another attendant or supervisor")
	fs.StringVar(&a.actor, "actor", login(), "account that runs this")
	rest, err := parse(fs, args, 1, 1)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(rest[0])
	if err != nil || a.approver == "" {
		return errUsage("-approver and the number that `desk request` printed are needed")
	}
	return manage(ctx, func(s *stack) error {
		var code string
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			approver, err := s.byCPF(ctx, tx, "-approver", a.approver)
			if err != nil {
				return err
			}
			code, err = a.desk().Approve(ctx, tx, approver.ID, id)
			return deskWords("-approver", err)
		})
		if err == nil {
			fmt.Fprintf(out, "%s\nfor the citizen alone, to be typed at %s/recuperar/atendimento until %s\n", code, s.cfg.Issuer,
				time.Now().Add(factor.DeskLifetime).Format("15:04"))
		}
		return err
	})
}

func runDeskList(ctx context.Context, args []string, out io.Writer) error {
	if _, err := parse(flags("desk list"), args, 0, 0); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		waiting, err := attendance{}.desk().Waiting(ctx, s.db)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tCITIZEN\tASKED BY\tUNTIL\tREASON")
		for _, r := range waiting {
			citizen, err := s.people.ByID(ctx, s.db, r.Person)
			if err != nil {
				return err
			}
			attendant, err := s.people.ByID(ctx, s.db, r.RequestedBy)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%q\n", r.ID, citizen.CPF.Masked(), attendant.CPF.Masked(), r.ExpiresAt.Local().Format("15:04"), r.Reason)
		}
		return w.Flush()
	})
}

// deskWords says in a sentence what the desk says by a code about who acts, named by a flag.
func deskWords(flag string, err error) error {
	for known, words := range map[error]string{
		factor.ErrDeskOwn:       "two attendants are needed, and neither is the citizen",
		factor.ErrDeskOver:      "nothing waits by that number: it was approved, or is older than an hour",
		factor.ErrDeskReason:    "the reason is missing, or longer than 500 characters",
		factor.ErrDeskRequester: "who asked for it is no attendant or supervisor of the city any more: ask anew",
		staff.ErrNoStaff:        flag + ": is no attendant or supervisor of the city now; see: loginunico staff show -h",
	} {
		if errors.Is(err, known) {
			return errors.New(words)
		}
	}
	return err
}
