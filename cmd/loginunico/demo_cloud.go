package main

import (
	"net/http"

	"github.com/loginunico/loginunico/certauth/cloud"
	"github.com/loginunico/loginunico/certauth/cloud/psctest"
	"github.com/loginunico/loginunico/certauth/icptest"
	"github.com/loginunico/loginunico/idp/flow"
)

// pscStandIn keeps certificates of the demo's people in the cloud, of the demo's ICP-Brasil, and
// registers the city there: once as one that browsers go to, once as one that asks a telephone.
func (s *stack) pscStandIn(icp *demoICP) http.Handler {
	const id, secret = "vila-esperanca", "demo-psc"
	base := local(s.cfg.DemoPSCListen)
	var holders []psctest.Holder
	for _, h := range []struct{ cpf, name string }{{"52998224725", "Maria Aparecida da Silva"}, {"11144477735", "João Batista Souza"}, {"71428793860", "Rita de Cássia Nogueira"}} {
		holders = append(holders, psctest.Holder{CPF: h.cpf, Name: h.name, Leaf: icp.pki.Issue(icptest.CloudECPF(h.name, h.cpf))})
	}
	page := cloud.Provider{ID: "nuvem", Name: "Nuvem de Vila Esperança", Base: base + "/v0", ClientID: id, Secret: secret, Hash: cloud.Base64, Format: cloud.RAW}
	phone := page
	phone.ID, phone.Name, phone.Format = "celular", "Celular de Vila Esperança", cloud.CMS
	phone.Push, phone.Authentications = true, base+"/valid/api/v1/trusted-services/authentications"
	s.cfg.Clouds = []cloud.Provider{page, phone}
	return psctest.New(base, psctest.Client{ID: id, Secret: secret, RedirectURI: s.cfg.Issuer + flow.PathCloudBack}, holders...)
}
