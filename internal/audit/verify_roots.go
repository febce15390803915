package audit

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/loginunico/loginunico/internal/pg"
)

// verifyRoots checks the signed roots of the database, then those kept elsewhere, against the chain.
func verifyRoots(ctx context.Context, db *pg.Pool, o Options, report *Report) error {
	keys, err := publicKeys(ctx, db)
	if err != nil {
		return err
	}
	from := o.From
	stored, err := storedRoots(ctx, db, from)
	if err != nil {
		return err
	}
	here := map[string]string{} // day → JWS
	var before time.Time
	for _, s := range stored {
		day := s.Day.Format(time.DateOnly)
		if !before.IsZero() && !s.Day.Equal(before.AddDate(0, 0, 1)) {
			return &Fault{Day: before.AddDate(0, 0, 1).Format(time.DateOnly), What: "is missing"}
		}
		root, err := keys.verifyRoot(ctx, db, s.JWS)
		if err != nil {
			return err
		}
		if root.Day != day {
			return &Fault{Day: day, What: "is that of " + root.Day}
		}
		before, here[day], report.LastRoot = s.Day, s.JWS, day
		report.Roots++
	}
	for i, text := range o.Roots {
		if err := keys.verifyKept(ctx, db, here, text, from); err != nil {
			if f, ok := errors.AsType[*Fault](err); ok && f.Day == "" {
				f.Day = fmt.Sprintf("line %d", i+1)
			}
			return err
		}
		report.Kept++
	}
	return nil
}

// keySet are the public keys by kid.
type keySet map[string]any

func publicKeys(ctx context.Context, db pg.DB) (keySet, error) {
	rows, err := auditKeys(ctx, db)
	if err != nil {
		return nil, err
	}
	keys := keySet{}
	for _, r := range rows {
		if keys[r.KID], err = x509.ParsePKIXPublicKey(r.PublicKey); err != nil {
			return nil, fmt.Errorf("audit key %s: %w", r.KID, err)
		}
	}
	return keys, nil
}

// verifyRoot checks a root's signature and that the chain has its batch.
func (keys keySet) verifyRoot(ctx context.Context, db pg.DB, text string) (Root, error) {
	root, signed, err := readRoot(text)
	if err != nil {
		return root, &Fault{What: "is no signed root: " + err.Error()}
	}
	fault := func(format string, args ...any) (Root, error) {
		return root, &Fault{Day: root.Day, What: fmt.Sprintf(format, args...)}
	}
	public, known := keys[root.KID]
	if !known {
		return fault("was signed by the key %s, which is not in the database", root.KID)
	}
	if _, err := signed.Verify(public); err != nil {
		return fault("its signature does not hold")
	}
	at, err := batchHead(ctx, db, root.Batch)
	switch {
	case pg.NoRows(err):
		return fault("the chain does not reach batch %d any more, the last of that day", root.Batch)
	case err != nil:
		return root, err
	case !bytes.Equal(at.Hash, root.Hash):
		return fault("batch %d is another one than was signed", root.Batch)
	}
	return root, nil
}

// verifyKept checks a root from elsewhere, and that the database still has it.
func (keys keySet) verifyKept(ctx context.Context, db pg.DB, here map[string]string, text string, from time.Time) error {
	root, err := keys.verifyRoot(ctx, db, text)
	if err != nil {
		return err
	}
	if here[root.Day] != text && root.Day >= from.Format(time.DateOnly) {
		return &Fault{Day: root.Day, What: "is not the one in the database"}
	}
	return nil
}
