package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/migrations"
)

// phase is one size of database with its provider and floor.
type phase struct {
	*machine
	rows     int
	db       *pg.Pool
	provider *server
	floor    *server
	workers  []*worker
	stock    chan string // refresh tokens to revoke
	stocked  int
	report   *report
}

func (p *phase) database() string      { return fmt.Sprintf("rows_%d", p.rows) }
func (p *phase) floorDatabase() string { return fmt.Sprintf("floor_%d", p.rows) }

// phase fills a database, starts provider and floor on it, and runs all rounds.
func (m *machine) phase(ctx context.Context, rows int, r *report) error {
	p := &phase{machine: m, rows: rows, report: r}
	progress("database with %d rows: filling it", rows)
	if err := p.fill(ctx); err != nil {
		return err
	}
	defer p.db.Close()
	var err error
	if p.provider, err = m.startProvider(ctx, p.database()); err != nil {
		return err
	}
	defer p.provider.stop()
	size, err := p.publicBytes()
	if err != nil {
		return err
	}
	page, err := p.pageBytes()
	if err != nil {
		return err
	}
	if p.floor, err = m.startFloor(ctx, p.floorDatabase(), size, page); err != nil {
		return err
	}
	defer p.floor.stop()
	p.hire()
	for round := 1; round <= m.rounds; round++ {
		for _, n := range m.options.workers {
			progress("database with %d rows: round %d of %d, %d workers", rows, round, m.rounds, n)
			if err := p.round(ctx, round, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// publicBytes is the mean length of the documents of the discovery scenario.
func (p *phase) publicBytes() (int, error) {
	a, total := newAgent(p.provider.url), 0
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json"} {
		body, err := a.get(path, "")
		if err != nil {
			return 0, err
		}
		total += len(body)
	}
	return total / 2, nil
}

// pageBytes is the length of the first page of a sign-in.
func (p *phase) pageBytes() (int, error) {
	c := &citizen{agent: newAgent(p.provider.url)}
	where, err := c.page(http.MethodGet, authorizeURL(secret.Token()), nil, http.StatusSeeOther)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequest(http.MethodGet, p.provider.url+where, nil)
	if err != nil {
		return 0, err
	}
	for name, value := range c.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	body, _, err := c.do(r, http.StatusOK)
	return len(body), err
}

// hire gives each worker its connections and citizens.
func (p *phase) hire() {
	for n := range maxWorkers {
		w := &worker{n: n, agent: newAgent(p.provider.url)}
		for of := range w.citizens {
			w.citizens[of] = &citizen{agent: newAgent(p.provider.url), cpf: string(cpfOf(kind(of), n))}
		}
		p.workers = append(p.workers, w)
	}
}

func (p *phase) round(ctx context.Context, round, workers int) error {
	if err := p.floorRound(ctx, round, workers); err != nil {
		return err
	}
	for _, s := range scenarios {
		if !strings.Contains(s.name, p.only) {
			continue
		}
		ops := make([]operation, workers)
		for n, w := range p.workers[:workers] {
			var err error
			if ops[n], err = s.prepare(ctx, p, w); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		r, err := p.measure(ctx, p.provider, p.database(), s.name, ops)
		if err != nil {
			return err
		}
		r.Signatures = s.signatures
		p.report.keep(r, p.rows, round)
	}
	return nil
}

// fill makes both databases of the phase.
func (p *phase) fill(ctx context.Context) (err error) {
	for _, name := range []string{p.database(), p.floorDatabase()} {
		if err := p.cluster.EnsureDatabase(ctx, name); err != nil {
			return err
		}
	}
	if err := p.fillFloor(ctx); err != nil {
		return fmt.Errorf("floor's database: %w", err)
	}
	if _, err := migrations.Up(ctx, p.cluster.URL(p.database())); err != nil {
		return err
	}
	if p.db, err = pg.Open(ctx, p.cluster.URL(p.database()), 2); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	if err := p.crowd(ctx); err != nil {
		return err
	}
	if p.rows > 0 { // a new database of a city has no statistics either
		_, err = p.db.Exec(ctx, `VACUUM (ANALYZE)`)
	}
	if err == nil {
		_, err = p.db.Exec(ctx, `CHECKPOINT`)
	}
	return err
}
