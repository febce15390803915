package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/idp"
	"github.com/loginunico/loginunico/idp/evidence"
	"github.com/loginunico/loginunico/internal/audit"
	"github.com/loginunico/loginunico/internal/jobs"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/trust"
)

// evidenceCommands look at what a person's trust level rests on, and take it away.
func evidenceCommands() []command {
	return []command{
		{"evidence list", "-cpf N -reason TEXT", "Print what a person's trust level rests on, what did once, and the level. -as-of T: then, 2026-11-21 or 2026-11-21T10:30:00Z. -id ID instead of -cpf is the person. -actor is you. The look is audited.", runEvidenceList},
		{"evidence revoke", "-cpf N -reason TEXT [-end-sessions] EVIDENCE",
			"Take one piece of evidence away, by the ID that `evidence list` printed: the level falls at once, and who is concerned is told." +
				" -end-sessions ends what was opened by it too: sessions that signed in by gov.br or a certificate. Write nothing personal into the reason. -id ID instead of -cpf is the person; -actor is you.", runEvidenceRevoke},
	}
}

func runEvidenceList(ctx context.Context, args []string, out io.Writer) error {
	var w subject
	fs := flags("evidence list")
	w.flags(fs)
	fs.Func("as-of", "instant", instant(&w.asOf))
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	return manage(ctx, func(s *stack) error {
		at := time.Now()
		if !w.asOf.IsZero() && w.asOf.Before(at) {
			at = w.asOf
		}
		var all []trust.Evidence
		err := pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			p, err := w.find(ctx, s, tx)
			if err != nil {
				return inWords(err)
			}
			if all, err = trust.Of(ctx, tx, p.ID); err != nil {
				return err
			}
			return audit.RecordTx(ctx, tx, audit.Event{Actor: operator(w.actor), Action: "evidence.read", Person: p.ID, Purpose: w.reason})
		})
		if err != nil {
			return err
		}
		return printEvidence(out, all, at) // after the commit: what cannot be audited is not shown
	})
}

func printEvidence(out io.Writer, all []trust.Evidence, at time.Time) error {
	fmt.Fprintf(out, "level %d", trust.Level(all, at))
	if since := trust.Since(all, at); !since.IsZero() {
		fmt.Fprintf(out, " since %s", since.Format(time.RFC3339))
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tLEVEL\tSOURCE\tMETHOD\tVERIFIER\tSINCE\tUNTIL\tSTATE")
	for _, e := range all {
		if e.VerifiedAt.After(at) {
			continue
		}
		until := "-"
		if !e.ExpiresAt.IsZero() {
			until = e.ExpiresAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.Kind, e.Kind.Level(), e.Source, e.Method, e.Verifier,
			e.VerifiedAt.Format(time.RFC3339), until, evidenceState(e, at))
	}
	return w.Flush()
}

func evidenceState(e trust.Evidence, at time.Time) string {
	switch {
	case e.LiveAt(at):
		return "live"
	case !e.RevokedAt.IsZero() && !at.Before(e.RevokedAt):
		return fmt.Sprintf("revoked %s by %s: %q", e.RevokedAt.Format(time.RFC3339), e.RevokedBy, e.RevokedReason)
	}
	return "expired"
}

func runEvidenceRevoke(ctx context.Context, args []string, out io.Writer) error {
	var w subject
	sessions := false
	fs := flags("evidence revoke")
	w.flags(fs)
	fs.BoolVar(&sessions, "end-sessions", false, "end what it opened")
	rest, err := parse(fs, args, 1, 1)
	if err == nil {
		err = w.check()
	}
	if err != nil {
		return err
	}
	id, err := uuid.Parse(rest[0])
	if err != nil {
		return errUsage("EVIDENCE is an ID that `evidence list` prints")
	}
	return manage(ctx, func(s *stack) error {
		queue, err := jobs.Sender(s.db, s.log)
		if err != nil {
			return err
		}
		revoker := idp.NewRevoker(idp.Dependencies{DB: s.db, Box: s.box, Keys: s.keys, Queue: queue, Caps: s.cfg.Caps, Issuer: s.cfg.Issuer, Now: time.Now})
		var done bool
		var level int
		err = pg.InTx(ctx, s.db, func(tx pg.Tx) error {
			p, err := w.find(ctx, s, tx)
			if err != nil {
				return inWords(err)
			}
			done, err = revoker.Revoke(ctx, tx, evidence.Revocation{Person: p.ID, Evidence: id, Reason: w.reason, Actor: operator(w.actor), EndSessions: sessions})
			if err != nil {
				return evidenceWords(err)
			}
			level, err = levelOf(ctx, tx, p)
			return err
		})
		if err != nil {
			return err
		}
		if !done {
			fmt.Fprintln(out, "was revoked before")
			return nil
		}
		fmt.Fprintf(out, "revoked; the level is %d\n", level)
		return nil
	})
}

func levelOf(ctx context.Context, tx pg.Tx, p registry.Person) (int, error) {
	all, err := trust.Of(ctx, tx, p.ID)
	return trust.Level(all, time.Now()), err
}

// evidenceWords says in a sentence what evidence says by a code.
func evidenceWords(err error) error {
	switch {
	case errors.Is(err, evidence.ErrNotFound):
		return errors.New("this person has no evidence of that ID; see: loginunico evidence list")
	case errors.Is(err, evidence.ErrReason):
		return errors.New("the reason is missing, has a line break or space around it, or is longer than 500 bytes")
	}
	return err
}
