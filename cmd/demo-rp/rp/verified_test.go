package rp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestTheServiceAsksToHaveVerifiedWhatTheProviderCan(t *testing.T) {
	t.Parallel()
	p := &provider{Verifiable: []string{"name", "birthdate"}}
	var asked struct {
		Userinfo struct {
			Verified struct {
				Verification map[string]any `json:"verification"`
				Claims       map[string]any `json:"claims"`
			} `json:"verified_claims"`
		} `json:"userinfo"`
	}
	if err := json.Unmarshal([]byte(askVerified(p, Service{Claims: []string{"name", "phone_number"}})), &asked); err != nil {
		t.Fatal(err)
	}
	v := asked.Userinfo.Verified
	if _, framework := v.Verification["trust_framework"]; !framework || len(v.Claims) != 1 || v.Claims["name"] != nil {
		t.Errorf("%+v", asked)
	}
	for name, s := range map[string]Service{"nothing that can be verified": {Claims: []string{"phone_number"}}, "no claims": {}} {
		if ask := askVerified(p, s); ask != "" {
			t.Errorf("%s: %s", name, ask)
		}
	}
}

func TestProofsAreToldInWords(t *testing.T) {
	t.Parallel()
	const city = `{"verification":{"trust_framework":"br_city_x","assurance_level":"urn:loginunico:nivel:4","evidence":[
		{"type":"electronic_record","record":{"type":"health","created_at":"2020-02-13T00:00:00Z","source":{"name":"Saúde"}},"derived_claims":{"name":"M","birthdate":"1958-05-14"}},
		{"type":"document","document_details":{"type":"idcard"},"derived_claims":{"name":"M"}}]},"claims":{"name":"M"}}`
	const icp = `{"verification":{"trust_framework":"icp","evidence":[{"type":"electronic_signature","issuer":"AC X","derived_claims":{"cpf":"1"}}]},"claims":{"cpf":"1"}}`
	for name, c := range map[string]struct {
		info string
		want []string
	}{
		"one":     {`{"verified_claims":` + city + `}`, []string{"A prefeitura confirma nascimento e nome pelo cadastro “Saúde”, desde 13/02/2020.", "A prefeitura confirma nome por um documento visto em atendimento (idcard)."}},
		"several": {`{"verified_claims":[` + icp + `]}`, []string{"icp confirma CPF pelo certificado emitido por AC X."}},
		"nothing": {`{"name":"M"}`, nil},
		"evidence": {`{"trust_evidence":[{"kind":"registry_match","source":"registry","verified_at":"2026-11-21T12:00:00Z"}],"govbr":{"level":"gold","selos":[{"id":"701"},{"id":"801"}]}}`,
			[]string{"Conferida com o cadastro da cidade, desde 21/11/2026", "Conta gov.br ouro; selos: 701, 801"}},
	} {
		all, evidence := said(texts["pt-BR"], userinfo{JSON: c.info})
		got := evidence
		for _, one := range all {
			got = append(got, one.Sentences...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %s", name, strings.Join(got, "\n"))
		}
	}
}
