package flow

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/consent"
	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/internal/secret"
	"github.com/loginunico/loginunico/themes"
)

func (h *Handler) getConsent(c echo.Context) error {
	v, here, err := h.at(c, Consent)
	if err != nil || !here {
		return err
	}
	view, _, _, err := h.consentPage(c.Request().Context(), v)
	return orShow(err, func() error { return h.show(c, v, nil, view) })
}

// consentPage is the page and its text for the record. The form carries the fingerprint of the text
// and the company: a manifest, language, level or company that changes while the page is open must
// not be agreed to unread.
func (h *Handler) consentPage(ctx context.Context, v *visit) (view themes.Consent, text, mark string, err error) {
	now := h.Now()
	view = h.consentView(v, now)
	if err := h.attest(ctx, v, &view); err != nil {
		return view, "", "", err
	}
	text, err = h.Pages.Themes.ConsentText(themes.Frame{Lang: v.lang, Service: h.serviceView(v, v.lang)}, view)
	number, _ := v.acting(now).Claim("cnpj")
	mark = fingerprint(text + number)
	view.Action += "&t=" + mark
	return view, text, mark, err
}

func fingerprint(text string) string {
	return base64.RawURLEncoding.EncodeToString(secret.Hash(text)[:15])
}

// asked is what the page shows as new: all of it when the service asks for prompt=consent.
func (v *visit) asked(now time.Time) (need consent.Need, known []string) {
	ask := v.ask(now)
	need = consent.Compare(v.known.Consent, ask)
	if slices.Contains(v.Request.Prompt, "consent") {
		need.Claims, need.Offline = ask.Claims, ask.Offline
	}
	for _, name := range consent.Allowed(v.known.Consent, ask.Claims) {
		if !slices.Contains(need.Claims, name) {
			known = append(known, name)
		}
	}
	return need, known
}

// consentView shows who asks, why, and the masked values; optional claims come unticked.
func (h *Handler) consentView(v *visit, now time.Time) themes.Consent {
	need, known := v.asked(now)
	view := themes.Consent{Action: v.url(pathConsent), Level: v.known.Level(now), Offline: need.Offline, First: need.First, Again: !need.First}
	if v.acting(now) != nil && len(v.known.Acts.Companies) > 1 {
		view.CompanyURL = v.url(pathCompany)
	}
	for _, name := range need.Claims {
		m, _ := v.client.Claim(name)
		if m.Required {
			view.Required = append(view.Required, h.consentClaim(v, m, now))
		} else {
			view.Optional = append(view.Optional, h.consentClaim(v, m, now))
		}
	}
	for _, name := range known {
		m, _ := v.client.Claim(name)
		view.Known = append(view.Known, h.consentClaim(v, m, now))
	}
	return view
}

func (h *Handler) consentClaim(v *visit, m client.Claim, now time.Time) themes.ConsentClaim {
	value := v.known.Person.Masked(m.Name)
	switch {
	case client.TellsEmployment(m.Name):
		value = h.office(v, m.Name, now)
	case contains(company.Claims, m.Name):
		value = v.acting(now).Shown(m.Name)
	}
	if level := v.proven(m.Name, now); level > 0 {
		value = h.Pages.Themes.Text(v.lang, "level."+strconv.Itoa(level), nil)
	}
	return themes.ConsentClaim{Name: m.Name, Value: value, Purpose: m.Purpose.Localized(v.lang), Basis: m.Basis}
}

// postConsent records the decision with the text that was on the page, and issues.
func (h *Handler) postConsent(c echo.Context) error {
	v, here, err := h.at(c, Consent)
	if err != nil || !here {
		return err
	}
	ctx := c.Request().Context()
	switch c.FormValue("decision") {
	case "allow":
	case "deny":
		params, err := h.leave(ctx, v, "access_denied", "the citizen refused")
		return h.over(c, v, params, err)
	default:
		return errRequest
	}
	view, text, mark, err := h.consentPage(ctx, v)
	if err != nil {
		return err
	}
	if c.QueryParam("t") != mark {
		return h.show(c, v, &themes.Problem{Code: "consent_changed"}, view)
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	params, err := h.decide(ctx, v, v.decision(view, text, form["optional"]))
	return h.over(c, v, params, err)
}

// decision is what the citizen allowed of what the page showed: all that is required, and what
// was ticked.
func (v *visit) decision(view themes.Consent, text string, ticked []string) consent.Decision {
	d := consent.Decision{PersonID: v.known.PersonID, ClientID: v.client.ID, Shown: []string{}, Allowed: []string{}, Offline: view.Offline,
		Purposes: map[string]string{}, Bases: map[string]string{}, ManifestVersion: v.client.Version, TextShown: text, Language: v.lang}
	for _, line := range slices.Concat(view.Required, view.Optional) {
		m, _ := v.client.Claim(line.Name)
		d.Shown = append(d.Shown, line.Name)
		d.Purposes[line.Name], d.Bases[line.Name] = line.Purpose, line.Basis
		if m.Required || slices.Contains(ticked, line.Name) {
			d.Allowed = append(d.Allowed, line.Name)
		}
	}
	return d
}
