package rp

import (
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

//go:embed pages.html style.css
var files embed.FS

// pages has the templates once per language.
var pages = func() map[string]*template.Template {
	byLang := map[string]*template.Template{}
	for lang, words := range texts {
		byLang[lang] = template.Must(template.New("").Funcs(template.FuncMap{
			"t":    func(key string) string { return words[key] },
			"name": func(s Service) string { return s.name(lang) },
			"when": func(t time.Time) string { return t.Local().Format(words["time_format"]) },
			"up":   func(n int) int { return n + 1 },
		}).ParseFS(files, "pages.html"))
	}
	return byLang
}()

// page is what every template gets.
type page struct {
	Lang, Path, Issuer string
	Data               any
}

// lang is the visitor's language: from the URL, a cookie, or the configuration.
func (a *app) lang(r *http.Request) string {
	chosen := r.URL.Query().Get("lang")
	if cookie, err := r.Cookie("demo_lang"); err == nil && texts[chosen] == nil {
		chosen = cookie.Value
	}
	if texts[chosen] == nil {
		return a.Lang
	}
	return chosen
}

func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	lang := a.lang(r)
	if r.URL.Query().Has("lang") {
		http.SetCookie(w, &http.Cookie{Name: "demo_lang", Value: lang, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	path := r.URL.Path
	if r.Method != http.MethodGet || status != http.StatusOK {
		path = "/" // a page that cannot be had again by its address
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages[lang].ExecuteTemplate(w, name, page{Lang: lang, Path: path, Issuer: a.Issuer, Data: data}); err != nil {
		slog.ErrorContext(r.Context(), "page", "name", name, "error", err)
	}
}

func stylesheet(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "style.css")
}

// tile is a service on the home page.
type tile struct {
	Service     Service
	SignedIn    bool
	SignedOutAt time.Time // zero unless the provider ended the session
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	var tiles []tile
	for _, s := range a.Services {
		v, _ := a.sessions.get(r, s.ID)
		tiles = append(tiles, tile{Service: s, SignedIn: v.signedIn, SignedOutAt: v.signedOutAt})
	}
	a.render(w, r, http.StatusOK, "home", map[string]any{"Tiles": tiles, "SignedOut": backFromLogout(w, r)})
}

// account shows everything a service learned about the person.
func (a *app) account(w http.ResponseWriter, r *http.Request, s Service) {
	v, ok := a.sessions.get(r, s.ID)
	if !ok || !v.signedIn {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	trust, _ := v.idToken.values["trust_level"].(float64)
	authTime, _ := v.idToken.values["auth_time"].(float64)
	acr, _ := v.idToken.values["acr"].(string)
	amr, _ := v.idToken.values["amr"].([]any)
	scope, _ := v.token.Extra("scope").(string)
	verified, evidence := said(texts[a.lang(r)], v.userinfo)
	a.render(w, r, http.StatusOK, "account", map[string]any{
		"Verified": verified, "Evidence": evidence, "Asked": v.asked,
		"Service": s, "Trust": int(trust), "Session": levelOf(acr), "ACR": acr, "AMR": words(texts[a.lang(r)], amr),
		"AuthTime": time.Unix(int64(authTime), 0), "HasAuthTime": authTime > 0,
		"IDToken": v.idToken, "AccessToken": decodeJWT(v.token.AccessToken), "Scope": scope, "Expires": v.token.Expiry,
		"CanRefresh": v.token.RefreshToken != "", "Userinfo": v.userinfo, "UserinfoProblem": v.userinfoProblem, "StepUp": v.stepUp,
		"Levels": []int{1, 2, 3, 4, 5}, "Changed": v.change.jti != "", "Change": v.change,
	})
}

// words says each authentication method (RFC 8176) in the visitor's language.
func words(dictionary map[string]string, amr []any) []string {
	var said []string
	for _, m := range amr {
		code, _ := m.(string)
		if word := dictionary["amr_"+code]; word != "" {
			code += " (" + word + ")"
		}
		said = append(said, code)
	}
	return said
}

// failure is an error page: Code names the explanation, the rest is for the developer.
type failure struct {
	Service                   Service
	Code, Detail, Description string
	Got                       int // level, when that was too low
}

// fail shows what this program found wrong.
func (a *app) fail(w http.ResponseWriter, r *http.Request, s Service, status int, code string, err error) {
	slog.WarnContext(r.Context(), "sign-in", "service", s.ID, "problem", code)
	a.render(w, r, status, "error", failure{Service: s, Code: code, Detail: err.Error()})
}

// failProvider shows an error the provider sent (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
func (a *app) failProvider(w http.ResponseWriter, r *http.Request, s Service, code, description string) {
	slog.WarnContext(r.Context(), "sign-in", "service", s.ID, "problem", "provider refused")
	a.render(w, r, http.StatusForbidden, "error", failure{Service: s, Code: code, Detail: "error=" + code, Description: description})
}

// failRedeem shows why tokens were not given or not taken.
func (a *app) failRedeem(w http.ResponseWriter, r *http.Request, s Service, err error) {
	var refused *oauth2.RetrieveError
	var low errLevel
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		a.failProvider(w, r, s, refused.ErrorCode, refused.ErrorDescription)
	case errors.As(err, &refused):
		a.fail(w, r, s, http.StatusBadGateway, "server_error", errors.New(refused.Response.Status))
	case errors.As(err, &low):
		a.render(w, r, http.StatusForbidden, "error", failure{Service: s, Code: "low_level", Detail: err.Error(), Got: low.got})
	default:
		a.fail(w, r, s, http.StatusBadGateway, "bad_token", err)
	}
}
