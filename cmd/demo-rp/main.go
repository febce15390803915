// Command demo-rp serves the demo city's six services: a sample of how to integrate with Login
// Único. Read package rp.
//
//	demo-rp -issuer http://localhost:8080 -listen localhost:8090 -base-url http://localhost:8090
//
// Exit codes: 0 stopped by a signal, 1 failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/loginunico/loginunico/cmd/demo-rp/rp"
)

func main() {
	issuer := flag.String("issuer", "http://localhost:8080", "`URL` of the provider")
	listen := flag.String("listen", "localhost:8090", "`host:port` to listen at")
	base := flag.String("base-url", "http://localhost:8090", "`URL` where browsers and the provider reach this program")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *issuer, *listen, *base); err != nil {
		fmt.Fprintln(os.Stderr, "demo-rp:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets requests in flight finish.
func run(ctx context.Context, issuer, listen, base string) error {
	services, err := rp.DemoServices()
	if err != nil {
		return err
	}
	handler, err := rp.New(rp.Config{Issuer: issuer, BaseURL: base, Services: services})
	if err != nil {
		return err
	}
	srv := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	fmt.Printf("demo services at %s, provider %s\n", base, issuer)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
