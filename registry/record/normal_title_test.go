package record

import "testing"

func FuzzCapitalsComeOutAsByTheGeneralWay(f *testing.F) {
	for _, s := range []string{"MARIA DA SILVA", "JOÃO E D'ÁVILA", "PÃO-DE-AÇÚCAR", "DE E II", "JOÃO III", "A × B", "E.  DOS-", "1 2", "É"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fast, ok := titleCapitals([]byte("x"), raw)
		if !ok {
			return
		}
		slow, cases, wrong := appendText([]byte("x"), raw, maxName)
		if len(raw) == 0 || raw[0] == ' ' || raw[len(raw)-1] == ' ' {
			return // callers trim
		}
		if slow = title(slow, 1); wrong != fine || cases != upperCase || string(fast) != string(slow) {
			t.Fatalf("%q: %q, but %q, %v, %v", raw, fast, slow, cases, wrong)
		}
	})
}
