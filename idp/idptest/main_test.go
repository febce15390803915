package idptest

import "testing"

func TestTheSearchFindsAValueAnywhereInTheLog(t *testing.T) {
	used.add("529.982.247-25", "curto", "123456")
	for _, line := range []string{
		"529.982.247-25 at the start\n", `{"cpf":"52998224725"}` + "\n", "at the end without a newline 123456",
	} {
		logs = buffer{}
		if _, err := logs.Write([]byte("harmless\n" + line)); err != nil {
			t.Fatal(err)
		}
		if found := leaks(); len(found) != 1 || found[0] != line {
			t.Errorf("in %q found %q", line, found)
		}
	}
	logs = buffer{}
	if _, err := logs.Write([]byte("harmless, curto, 529982\n52998\n\n")); err != nil {
		t.Fatal(err)
	}
	if found := leaks(); len(found) != 0 {
		t.Errorf("found %q", found)
	}
}
