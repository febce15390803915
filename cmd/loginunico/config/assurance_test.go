package config_test

import (
	"strings"
	"testing"

	"github.com/loginunico/loginunico/cmd/loginunico/config"
)

func TestACityNamesWhatItAttestsBy(t *testing.T) {
	set(t, nil)
	c, err := config.Load(true)
	if err != nil || c.Assurance.City != "br_city_vila_esperanca" || c.Assurance.GovBR != "br_govbr" || c.Assurance.ICPBrasil != "br_icp_brasil" {
		t.Fatalf("%+v %v", c.Assurance, err)
	}
	set(t, map[string]string{"TRUST_FRAMEWORK_CITY": "https://vilaesperanca.example/confianca", "RECORD_TYPES": "saude=clinic, arquivo=archive"})
	if c, err = config.Load(true); err != nil || c.Assurance.City != "https://vilaesperanca.example/confianca" || c.Assurance.RecordTypes["arquivo"] != "archive" {
		t.Fatalf("%+v %v", c.Assurance, err)
	}
}

func TestWrongNamesOfTrustFrameworksAreNamed(t *testing.T) {
	set(t, map[string]string{"TRUST_FRAMEWORK_CITY": "vila esperança", "TRUST_FRAMEWORK_GOVBR": "same", "TRUST_FRAMEWORK_ICP": "same", "RECORD_TYPES": "saude"})
	_, err := config.Load(true)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"TRUST_FRAMEWORK_CITY", "TRUST_FRAMEWORK_ICP", "RECORD_TYPES"} {
		if !strings.Contains(err.Error(), "LOGINUNICO_"+name+": ") {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}
