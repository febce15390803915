package flow

import (
	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/session"
	"github.com/loginunico/loginunico/registry/trust"
)

// Ways are the proofs that citizens bring by themselves in this city, and where a visit goes for each.
func (h *Handler) Ways() map[trust.Kind]string {
	ways := map[trust.Kind]string{}
	if h.GovBR != nil {
		ways[trust.GovBR] = pathGovBR
	}
	if h.Certificates != nil {
		ways[trust.ICPCertificate] = pathCertificate
	}
	return ways
}

// Prove takes who is signed in to a way of [Handler.Ways], and back to a page of ours: with the level
// that it gives, or as they were. The visit needs that level, so that the way is one of its steps.
func (h *Handler) Prove(c echo.Context, known *session.Known, kind trust.Kind, returnTo string) error {
	v := &visit{Interaction: h.fresh(c, Request{ReturnTo: returnTo, ACRLevel: kind.Level()}), known: known}
	v.SessionID = &known.ID
	return h.beginAt(c, v, h.Ways()[kind])
}
