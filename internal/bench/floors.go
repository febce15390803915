package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/loginunico/loginunico/internal/secret"
)

// The floor's own measurements. Each is one request to an echo handler, with …
const (
	static    = iota // nothing: ready bytes, as many as discovery and JWKS have on average
	page             // nothing: ready HTML, as long as the first page of a sign-in
	lookUp           // one SELECT by primary key
	ask              // the same for an authenticated client's form, as RFC 7662 §2.1 has it
	insert           // one INSERT, committed
	rotate           // one UPDATE and one INSERT in one statement, committed
	sign             // one ES256 signature
	hash             // one argon2id password hash
	cheapHash        // one of those whose login is judged
	floors
)

var floorNames = [floors]string{"handler", "handler+page", "handler+select", "handler+form+secret+select", "handler+insert", "handler+rotate", "handler+signature", "handler+hash", "handler+light hash"}

// composition says how many of each make a scenario's floor; a negative handler takes away those
// that the others bring in excess.
type composition [floors]float64

func (c composition) String() string {
	var parts []string
	for i, n := range c {
		switch {
		case n == 1:
			parts = append(parts, floorNames[i])
		case n != 0:
			parts = append(parts, fmt.Sprintf("%g·(%s)", n, floorNames[i]))
		}
	}
	return strings.ReplaceAll(strings.Join(parts, " + "), "+ -", "− ")
}

// cpu is the CPU of a composition, given that of each part.
func (c composition) cpu(of [floors]float64) (total float64) {
	for i, n := range c {
		total += n * of[i]
	}
	return total
}

// floorOperation drives one of them.
func floorOperation(which int, base string, n int) operation {
	a := newAgent(base)
	switch which {
	case static:
		return func() error { _, err := a.get("/static", ""); return err }
	case page:
		return func() error { _, err := a.get("/page", ""); return err }
	case ask:
		return func() error { n += 7919; return a.call("/ask", url.Values{"token": {floorToken(n)}}, nil) }
	case lookUp:
		return func() error { n += 7919; _, err := a.get("/select", floorToken(n)); return err }
	case rotate:
		token := ""
		return func() (err error) {
			if token == "" { // a chain begins with a row of its own
				token = secret.Token()
				return a.post("/insert", url.Values{"token": {token}})
			}
			next := secret.Token()
			err = a.post("/rotate", url.Values{"token": {token}, "next": {next}})
			token = next
			return err
		}
	case hash:
		return func() error { return a.post("/hash", url.Values{"token": {password}}) }
	case cheapHash:
		return func() error { return a.post("/light-hash", url.Values{"token": {password}}) }
	}
	path := map[int]string{insert: "/insert", sign: "/sign"}[which]
	return func() error { return a.post(path, url.Values{"token": {secret.Token()}}) }
}

func (a *agent) post(path string, form url.Values) error {
	r, err := http.NewRequest(http.MethodPost, a.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, _, err = a.do(r, http.StatusOK)
	return err
}

// floorRound measures all floors at one number of workers.
func (p *phase) floorRound(ctx context.Context, round, workers int) error {
	if p.bare {
		return nil
	}
	for which := range floors {
		ops := make([]operation, workers)
		for n := range ops {
			ops[n] = floorOperation(which, p.floor.url, n)
		}
		r, err := p.measure(ctx, p.floor, p.floorDatabase(), floorNames[which], ops)
		if err != nil {
			return err
		}
		p.report.keep(r, p.rows, round)
	}
	return nil
}
