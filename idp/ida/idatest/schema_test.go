package idatest

import (
	"encoding/json"
	"testing"
)

func TestTheSchemaRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no verification":          `{"claims":{"name":"x"}}`,
		"no trust framework":       `{"verification":{},"claims":{"name":"x"}}`,
		"no claims":                `{"verification":{"trust_framework":"a"},"claims":{}}`,
		"a member too many":        `{"verification":{"trust_framework":"a"},"claims":{"name":"x"},"x":1}`,
		"a time without zone":      `{"verification":{"trust_framework":"a","time":"2026-11-21T12:00:00"},"claims":{"name":"x"}}`,
		"no evidence in its list":  `{"verification":{"trust_framework":"a","evidence":[]},"claims":{"name":"x"}}`,
		"a signature without CA":   `{"verification":{"trust_framework":"a","evidence":[{"type":"electronic_signature","signature_type":"a","serial_number":"1"}]},"claims":{"name":"x"}}`,
		"a record without a type":  `{"verification":{"trust_framework":"a","evidence":[{"type":"electronic_record","record":{"source":{"name":"x"}}}]},"claims":{"name":"x"}}`,
		"an unknown evidence type": `{"verification":{"trust_framework":"a","evidence":[{"type":"rumour"}]},"claims":{"name":"x"}}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if len(Faults(v)) == 0 {
			t.Errorf("%s passed", name)
		}
	}
}
