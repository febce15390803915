package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	silence    = 30 * time.Second // after so long without news, ask whether the server still lives
)

// Listen hears channel on a connection of its own (beside the pool's) until ctx ends, and calls
// onEvent, always from this goroutine, with each notification's payload.
//
// After every connection, the first and each later one, it calls onEvent(""): what was notified
// meanwhile is lost, so the listener refreshes all it holds. A lost server is asked again after
// 100 ms, then ever more slowly up to 5 s.
func Listen(ctx context.Context, pool *Pool, channel string, onEvent func(payload string)) {
	listen(ctx, pool, channel, silence, onEvent)
}

func listen(ctx context.Context, pool *Pool, channel string, quiet time.Duration, onEvent func(string)) {
	wait := firstRetry
	for ctx.Err() == nil {
		if listenOnce(ctx, pool, channel, quiet, onEvent) {
			wait = firstRetry
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
}

// listenOnce listens until the connection breaks; it reports whether it got as far as listening.
func listenOnce(ctx context.Context, pool *Pool, channel string, quiet time.Duration, onEvent func(string)) bool {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig)
	if err != nil {
		return false
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // nothing is left to lose on it
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return false
	}
	onEvent("")
	for {
		payload, heard, err := next(ctx, conn, quiet)
		if err != nil {
			return true
		}
		if heard {
			onEvent(payload)
		}
	}
}

// next waits for one notification; heard is false when only the quiet time has passed and the
// server answered a ping, which a silently cut network would not.
func next(ctx context.Context, conn *pgx.Conn, quiet time.Duration) (payload string, heard bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil {
		return n.Payload, true, nil
	}
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return "", false, err
	}
	ping, cancelPing := context.WithTimeout(ctx, lastRetry)
	defer cancelPing()
	return "", false, conn.Ping(ping)
}
