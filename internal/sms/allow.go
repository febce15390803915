package sms

import (
	"context"
	"net/netip"
	"strconv"
	"time"

	"github.com/loginunico/loginunico/internal/fail"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/phone"
)

var (
	// ErrCountry says that the city sends no texts to this country. It is package phone's, so that a
	// form has one message for it.
	ErrCountry = phone.ErrCountry
	// ErrTooMany says that a cap is reached; its argument "minutes" is until the window ends.
	ErrTooMany = fail.New(fail.Throttled, "sms_too_many")
)

// Ask is somebody's wish for one text.
type Ask struct {
	To      phone.Number // "" is a decoy: counted for its address alone, at the same cost
	Address netip.Addr   // of the browser; the zero Addr, in a job, is not counted: all jobs would be one
}

// bucket is one thing counted in one window.
type bucket struct {
	Limit
	key    []byte
	starts time.Time
}

// Allow says whether one more text may be asked for, and counts it, in one statement: all caps have
// room and it counts for each, or one has none and it counts for none, so that nobody uses up a
// country's by asking for one number again and again. Of tries at once none slips past a cap.
//
// The rows stay locked until the transaction ends: call it shortly before Send.
//
// Errors: ErrCountry, ErrTooMany, the database's.
func (s *Service) Allow(ctx context.Context, tx pg.DB, ask Ask) error {
	country := ask.To.Country()
	if ask.To != "" && !s.Countries[country] {
		s.Metrics.asked(country, "not_served")
		return ErrCountry
	}
	now := s.Now().UTC()
	all := s.buckets(ask, country, now)
	full, err := count(ctx, tx, all)
	if err != nil {
		return err
	}
	if full < 0 {
		s.Metrics.asked(country, "allowed")
		return nil
	}
	s.Metrics.asked(country, all[full].What)
	left := all[full].starts.Add(all[full].Window).Sub(now)
	return ErrTooMany.With(map[string]any{"minutes": int(left/time.Minute) + 1})
}

func (s *Service) buckets(ask Ask, country string, now time.Time) []bucket {
	values := map[string]string{"number": ask.To.E164(), "range": rangeOf(ask.To), "country": country, "address": prefixOf(ask.Address)}
	all := []bucket{}
	for _, l := range s.Limits.of(country) {
		value := values[l.What]
		if l.What == "address" && !ask.Address.IsValid() {
			continue
		}
		if ask.To == "" && l.What != "address" {
			value, l.Most = "decoy "+values["address"], 1<<30
		}
		domain := "sms/count/" + l.What + "/" + strconv.Itoa(int(l.Window/time.Hour))
		all = append(all, bucket{l, s.Box.Index(domain, []byte(value)), now.Truncate(l.Window)})
	}
	return all
}

// rangeOf is the block of a thousand that a number is in: pumping rents its numbers in a row.
func rangeOf(n phone.Number) string { return n.E164()[:max(0, len(n)-3)] }

// prefixOf is the unit an address is counted by: one household has one IPv4 address, or a /64.
func prefixOf(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}
