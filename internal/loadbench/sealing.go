package main

import (
	"context"

	"github.com/loginunico/loginunico/internal/secret"
)

// sealing measures what encryption alone costs the load: the values that lie in the database now,
// as many and as long, are sealed once more and thrown away, and the documents are indexed. The load
// without encryption is the load less this.
func (b *bench) sealing(ctx context.Context, records int64) error {
	var lengths []int
	err := b.db.QueryRow(ctx, `
		SELECT (SELECT coalesce(array_agg(octet_length(v)), '{}')
		          FROM person, unnest(ARRAY[identity, documents, contact, family, complements]) AS v
		         WHERE v IS NOT NULL)
		       || (SELECT coalesce(array_agg(octet_length(content)), '{}') FROM source_record)
		       || (SELECT coalesce(array_agg(octet_length(content)), '{}') FROM first_record)`).Scan(&lengths)
	if err != nil {
		return err
	}
	r, err := b.step(ctx, "of it: encryption", func() (int64, error) {
		plain, dst, aad := make([]byte, 64<<10), make([]byte, 0, 65<<10), make([]byte, 17)
		cipher, index := b.box.Class(secret.Identity), b.box.Indexer("cpf")
		for _, n := range lengths {
			dst = cipher.AppendSeal(dst[:0], plain[:max(0, n-secret.Overhead)], aad)
		}
		for range records {
			dst = index.Sum(dst[:0], plain[:11])
		}
		return records, nil
	})
	b.rows = append(b.rows, r)
	return err
}
