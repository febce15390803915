package flow

import (
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/company"
	"github.com/loginunico/loginunico/themes"
)

// getCompany asks for which company the citizen uses the service, or how they can show one. From the
// consent page they may come back to it and choose another.
func (h *Handler) getCompany(c echo.Context) error {
	v, here, err := h.at(c, Company, Consent)
	if err != nil || !here {
		return err
	}
	if asked, _ := v.asksCompany(h.Now()); !asked {
		return h.goOn(c, v)
	}
	return h.show(c, v, nil, h.companyView(v))
}

func (h *Handler) companyView(v *visit) themes.Company {
	now, acts := h.Now(), v.known.Acts
	_, required := v.asksCompany(now)
	view := themes.Company{Action: v.url(pathCompany), Required: required, Asked: acts.Asked && !acts.Silent, Silent: acts.Silent, More: acts.More}
	acting := v.acting(now)
	for _, one := range acts.Live(now) {
		role, _ := one.Claim("company_role")
		view.Companies = append(view.Companies, themes.CompanyOffer{Choice: one.CNPJ.Text(), CNPJ: one.CNPJ.Formatted(), Name: one.Name, Role: role,
			Chosen: acting != nil && acting.CNPJ == one.CNPJ})
	}
	if v.next(now) == Company { // not from the consent page
		view.CertificateURL = h.certificateURL(v)
		if h.GovBR != nil && h.GovBR.Companies() {
			view.GovBRURL = h.govbrURL(v)
		}
	}
	return view
}

// postCompany takes the choice among those that were offered to this session, goes on without one
// where the service can, or back to the service.
func (h *Handler) postCompany(c echo.Context) error {
	v, here, err := h.at(c, Company, Consent)
	if err != nil || !here {
		return err
	}
	ctx, now := c.Request().Context(), h.Now()
	asked, required := v.asksCompany(now)
	choice := c.FormValue("company")
	switch {
	case c.FormValue("decision") == "leave":
		params, err := h.leave(ctx, v, "access_denied", "the citizen acts for no company, and the service needs one")
		return h.over(c, v, params, err)
	case !asked:
		return h.goOn(c, v)
	case choice == company.Without && !required, offered(v.known.Acts.Live(now), choice):
		err := h.choose(ctx, v, choice)
		return orShow(err, func() error { return c.Redirect(seeOther, v.url(pathContinue)) })
	}
	return h.show(c, v, problem("company_required", "company", "company_required", nil), h.companyView(v))
}

func offered(all []company.Company, choice string) bool {
	for _, one := range all {
		if one.CNPJ.Text() == choice {
			return true
		}
	}
	return false
}
