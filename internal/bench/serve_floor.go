package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/secret"
)

// floorCommand makes this program the floor's server instead of the benchmark.
const floorCommand = "floor-server"

// floor answers with the least an operation can do. Every handler but static reads one parameter
// of a form or header, as a protocol would have it.
type floor struct {
	db     *pg.Pool
	body   []byte
	page   []byte
	secret []byte // SHA-256 of the one client's
	key    *ecdsa.PrivateKey
	hasher *factor.Hasher
	hash   string // of the password
	light  string // of the password, next to nothing
}

func serveFloor(args []string) error {
	fs := flag.NewFlagSet(floorCommand, flag.ContinueOnError)
	addr, url := fs.String("listen", "", ""), fs.String("database", "", "")
	size, page := fs.Int("body", 0, ""), fs.Int("page", 0, "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := pg.Open(ctx, *url, poolSize)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	f := &floor{db: db, body: []byte(`"` + strings.Repeat("x", *size) + `"`), page: bytes.Repeat([]byte("x"), *page),
		secret: secret.Hash(serviceSecret), key: key, hasher: factor.NewHasher(0), light: lightHash()}
	if f.hash, err = f.hasher.Hash(ctx, password); err != nil {
		return err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	f.mount(e)
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	return (&http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}).Serve(listener) // as the provider's: a deadline costs a timer
}

func (f *floor) mount(e *echo.Echo) {
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.GET("/static", func(c echo.Context) error { return c.Blob(http.StatusOK, "application/json", f.body) })
	e.GET("/page", func(c echo.Context) error { return c.HTMLBlob(http.StatusOK, f.page) })
	e.POST("/ask", f.ask)
	e.POST("/insert", f.insert)
	e.GET("/select", f.lookUp)
	e.POST("/sign", f.sign)
	e.POST("/rotate", f.rotate)
	e.POST("/hash", func(c echo.Context) error { return f.verify(c, f.hash) })
	e.POST("/light-hash", func(c echo.Context) error { return f.verify(c, f.light) })
}

// answer is a small JSON answer.
func answer(c echo.Context, text string) error {
	return c.JSON(http.StatusOK, map[string]string{"value": text})
}

func (f *floor) insert(c echo.Context) error {
	hash := sha256.Sum256([]byte(c.FormValue("token")))
	_, err := f.db.Exec(c.Request().Context(), `
		INSERT INTO floor (hash, id, body, created_at)
		VALUES (@hash, @id, @body, @now)`,
		pgx.NamedArgs{"hash": hash[:], "id": pg.NewID(), "body": floorText, "now": time.Now()})
	if err != nil {
		return err
	}
	return answer(c, "inserted")
}

func (f *floor) lookUp(c echo.Context) error {
	return f.find(c, strings.TrimPrefix(c.Request().Header.Get("Authorization"), "Bearer "))
}

// ask is lookUp for a form of a client that shows its secret.
func (f *floor) ask(c echo.Context) error {
	id, given, ok := c.Request().BasicAuth()
	if !ok || id != serviceID || !secret.Equal(secret.Hash(given), f.secret) {
		return c.NoContent(http.StatusUnauthorized)
	}
	return f.find(c, c.FormValue("token"))
}

func (f *floor) find(c echo.Context, token string) error {
	hash := sha256.Sum256([]byte(token))
	var body string
	var created time.Time
	err := f.db.QueryRow(c.Request().Context(), `
		SELECT body, created_at
		  FROM floor
		 WHERE hash = @hash`, pgx.NamedArgs{"hash": hash[:]}).Scan(&body, &created)
	if err != nil {
		return err
	}
	return answer(c, body)
}

// rotate uses one row up and puts its successor in its place, in one statement.
func (f *floor) rotate(c echo.Context) error {
	used, next := sha256.Sum256([]byte(c.FormValue("token"))), sha256.Sum256([]byte(c.FormValue("next")))
	tag, err := f.db.Exec(c.Request().Context(), `
		WITH used AS (
		     UPDATE floor
		        SET used_at = @now
		      WHERE hash = @used AND used_at IS NULL
		     RETURNING body)
		INSERT INTO floor (hash, id, body, created_at)
		SELECT @next, @id, body, @now
		  FROM used`,
		pgx.NamedArgs{"used": used[:], "next": next[:], "id": pg.NewID(), "now": time.Now()})
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("used before")
	}
	if err != nil {
		return err
	}
	return answer(c, "rotated")
}

// sign makes one ES256 signature over a payload of the usual size, as keys.Ring does.
func (f *floor) sign(c echo.Context) error {
	text := base64.RawURLEncoding.EncodeToString([]byte(c.FormValue("token") + floorText + floorText))
	digest := sha256.Sum256([]byte(text))
	signature, err := f.key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	return answer(c, text+"."+base64.RawURLEncoding.EncodeToString(signature))
}

func (f *floor) verify(c echo.Context, hash string) error {
	ok, err := f.hasher.Verify(c.Request().Context(), hash, c.FormValue("token"))
	if err != nil || !ok {
		return errors.Join(err, errors.New("password"))
	}
	return answer(c, "right")
}
