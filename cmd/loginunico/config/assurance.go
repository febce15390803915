package config

import (
	"cmp"

	"github.com/loginunico/loginunico/idp/ida"
)

// checkAssurance reads by which names the city attests verified claims.
func (c *Config) checkAssurance(fault faulter) {
	c.TrustCity = cmp.Or(c.TrustCity, ida.CityFramework(c.City))
	seen := map[string]bool{}
	for _, f := range []struct{ name, framework string }{{"TRUST_FRAMEWORK_CITY", c.TrustCity}, {"TRUST_FRAMEWORK_GOVBR", c.TrustGovBR}, {"TRUST_FRAMEWORK_ICP", c.TrustICP}} {
		if err := ida.CheckFramework(f.framework); err != nil {
			fault(f.name, "%v", err)
		} else if seen[f.framework] {
			fault(f.name, "%s is the name of another trust framework already", f.framework)
		}
		seen[f.framework] = true
	}
	types, err := ida.ParseRecordTypes(c.RecordTypes)
	if err != nil {
		fault("RECORD_TYPES", "%v", err)
	}
	c.Assurance = ida.Settings{City: c.TrustCity, GovBR: c.TrustGovBR, ICPBrasil: c.TrustICP, RecordTypes: types}
}
