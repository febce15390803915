package idptest

import (
	"context"
	"net"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/keys"
	"github.com/loginunico/loginunico/internal/pg"
)

// Twin runs a second process of the same city: the same database and issuer, with caches and a
// listener of its own, as behind a load balancer. It returns the second address; what one process
// changes reaches the other by NOTIFY, as in production.
func (c *City) Twin() string {
	c.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	twin := &City{t: c.t, DB: c.DB, Box: c.Box, Outbox: c.Outbox, Issuer: c.Issuer, people: c.people, offset: c.offset}
	twin.Keys = must(keys.New(ctx, c.DB, c.Box, twin.Now))(c.t)
	twin.Clients = client.NewRegistry(c.DB, twin.Now)
	if err := twin.Clients.Load(ctx); err != nil {
		c.t.Fatal(err)
	}
	twin.serve(listener, defaults)
	go pg.Listen(ctx, c.DB, "loginunico", func(string) {
		_ = twin.Clients.Load(ctx)
		_ = twin.Keys.Reload(ctx)
	})
	return "http://" + listener.Addr().String()
}
