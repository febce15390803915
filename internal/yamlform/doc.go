// Package yamlform reads the YAML files people write for us (service manifests, the registry's
// policy, the mappings of its sources) and tells everything that is wrong with one at once, by line.
//
//	err := yamlform.Read("portal.yaml", data, 64<<10,
//		func(d *yamlform.Decoder) map[string]yamlform.Field {
//			return map[string]yamlform.Field{"id": d.Text(&m.ID, yamlform.Matches(pattern, "must be …"))}
//		},
//		func(d *yamlform.Decoder) { d.Require("id") })
//
// Unknown keys, keys given twice, anchors, aliases, several documents and invisible characters are
// refused: what a reviewer sees is what is meant.
package yamlform
