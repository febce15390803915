// Package page shows the pages of themes over HTTP: the language and contrast the visitor chose,
// the content security policy, and the error page. It is shared by every package of idp that has
// pages. Routes: /idioma, /contraste, /acessibilidade, /privacidade, /estatico/*.
package page

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/themes"
)

const (
	cookieLanguage = "idioma"
	cookieContrast = "contraste"
)

// Pages renders themes for HTTP.
type Pages struct {
	Themes *themes.Renderer
	Secure bool // the issuer is https
}

// Mount adds the routes that belong to no flow.
func (p *Pages) Mount(e *echo.Echo) {
	e.GET("/estatico/*", echo.WrapHandler(p.Themes.Static()))
	e.GET("/idioma", p.getLanguage)
	e.GET("/contraste", p.getContrast)
	for _, name := range []string{"acessibilidade", "privacidade"} {
		e.GET("/"+name, func(c echo.Context) error {
			return p.Show(c, http.StatusOK, p.Frame(c), themes.Static{Name: name})
		})
	}
}

// Frame is what every page needs, from the request alone.
func (p *Pages) Frame(c echo.Context) themes.Frame {
	contrast, err := c.Cookie(cookieContrast)
	return themes.Frame{Lang: p.Language(c, ""), Path: c.Request().URL.RequestURI(), Reference: httpx.Reference(c),
		Contrast: err == nil && contrast.Value == "alto"}
}

// Language is the page's: what the service asked for, the visitor's choice, the browser's, pt-BR.
func (p *Pages) Language(c echo.Context, uiLocales string) string {
	return themes.Match(uiLocales, p.Chosen(c), "", c.Request().Header.Get("Accept-Language"))
}

// Chosen is the language that this browser has chosen before; "" for none of ours.
func (p *Pages) Chosen(c echo.Context) string {
	cookie, err := c.Cookie(cookieLanguage)
	if err != nil || !slices.Contains(themes.Languages, cookie.Value) {
		return ""
	}
	return cookie.Value
}

// Show renders a page. It is never cached: it is somebody's.
func (p *Pages) Show(c echo.Context, status int, f themes.Frame, v themes.View) error {
	body, err := p.Themes.Render(f, v)
	if err != nil {
		return err
	}
	httpx.NoStore(c)
	header := c.Response().Header()
	header.Set("Content-Security-Policy", p.Themes.CSP(f))
	header.Set("Content-Language", f.Lang)
	return c.HTMLBlob(status, body)
}

// Failure is the error page; a code without a message of its own is shown by its status.
func (p *Pages) Failure(c echo.Context, status int, code string, _ map[string]any) error {
	if !p.Themes.Has("failure." + code + ".title") {
		code = general(status)
	}
	return p.Show(c, status, p.Frame(c), themes.Failure{Code: code, Status: status})
}

func general(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusGone, http.StatusConflict:
		return "expired"
	case http.StatusTooManyRequests:
		return "throttled"
	case http.StatusForbidden:
		return "forbidden"
	}
	if status < 500 {
		return "request"
	}
	return "internal"
}

// Remember keeps the language of a visit, so that its later pages follow.
func (p *Pages) Remember(c echo.Context, lang string) { p.set(c, cookieLanguage, lang) }

func (p *Pages) set(c echo.Context, name, value string) {
	c.SetCookie(&http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) getLanguage(c echo.Context) error {
	p.set(c, cookieLanguage, themes.Match(c.QueryParam("lang"), "", "", ""))
	return c.Redirect(http.StatusSeeOther, back(c.QueryParam("volta")))
}

func (p *Pages) getContrast(c echo.Context) error {
	value := "alto"
	if f := p.Frame(c); f.Contrast {
		value = "normal"
	}
	p.set(c, cookieContrast, value)
	return c.Redirect(http.StatusSeeOther, back(c.QueryParam("volta")))
}

// back accepts a path of ours and nothing else: no scheme, no host, no backslash, no control
// character, so that the link cannot send anybody elsewhere.
func back(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "/conta"
	}
	return path
}
