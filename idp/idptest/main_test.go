package idptest

import (
	"testing"
	"time"
)

func TestTheSearchFindsAValueAnywhereInTheLog(t *testing.T) {
	used.add("529.982.247-25", "curto", "123456")
	for _, line := range []string{
		`{"code":123456}` + "\n", "529.982.247-25 at the start\n", `{"cpf":"52998224725"}` + "\n", "at the end without a newline 123456",
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
	if _, err := logs.Write([]byte("harmless, curto, 529982\n52998\n\n{\"reference\":\"a123456b0c1d\"}\n{\"id\":9123456}\n")); err != nil {
		t.Fatal(err)
	}
	if found := leaks(); len(found) != 0 {
		t.Errorf("found %q", found)
	}
}

func TestTimesDoNotLookLikeCodes(t *testing.T) {
	logs = buffer{}
	logger().Info("request", "took", 123456*time.Nanosecond, "code", "kept")
	if line := string(logs.bytes()); line != `{"level":"INFO","msg":"request","code":"kept"}`+"\n" {
		t.Errorf("%s", line)
	}
}
