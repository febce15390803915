package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loginunico/loginunico/registry/pmcc"
)

// town loads a source in which the health department says that Maria has died.
func town(t *testing.T) {
	t.Helper()
	operate(t)
	t.Chdir(t.TempDir())
	mapping := file(t, "saude.yaml", "source: saude\nname: Teste\nkind: person\nencoding: utf-8\nseparator: \";\"\nheader: true\nkey: [N]\nfields:\n  cpf: CPF\n  name: NOME\n  death: {column: OBITO, layout: \"2006-01-02\"}\n  address: {street: RUA}\n")
	records := file(t, "saude.csv", "N;CPF;NOME;OBITO;RUA\n1;529.982.247-25;Maria da Silva;2019-05-05;Rua das Acácias\n2;111.444.777-35;João Souza;;\n3;111.444.777-36;Falso;;\n")
	done(t, "registry", "load", "-source", "saude", "-mapping", mapping, "-date", "2026-11-20", records)
}

func TestEveryValueIsShownWithWhatLetItIn(t *testing.T) {
	town(t)
	out := done(t, "registry", "person", "show", "-cpf", "529.982.247-25", "-reason", "pedido da titular")
	for _, want := range []string{"name: Maria da Silva\n    saude (Secretaria Municipal da Saúde), true since 2026-11-20, received ",
		"name: include by saude. O nome civil é o do registro", "address: street Rua das Acácias\n", "Waiting for a human", "  death: 2019-05-05, from saude"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if out := invoke(t, "registry", "person", "show", "-cpf", "52998224725", "-as-of", "2020-01-01", "-reason", "x"); out.code != exitFailed || !strings.Contains(out.err, "knew nobody then") {
		t.Errorf("before anybody knew: %+v", out)
	}
	if audit := done(t, "audit", "verify"); !strings.Contains(audit, "3 events wait for their batch") { // two of the load
		t.Errorf("the look is not in the audit: %s", audit)
	}
}

func TestWhatAHumanDecidesByCommandHolds(t *testing.T) {
	town(t)
	who := []string{"-cpf", "52998224725", "-reason", "certidão", "-actor", "carla"}
	person := func(args ...string) string {
		return done(t, append(append([]string{"registry", "person", args[0]}, who...), args[1:]...)...)
	}
	person("set", "address", "street=Rua das Flores", "number=12", "cep=80010-000")
	person("set", "name", "Maria", "Aparecida", "da", "Silva")
	person("remove", "death")
	shown := person("show")
	for _, want := range []string{"address: street Rua das Flores, number 12, cep 80010000\n    set by hand", "name: Maria Aparecida da Silva\n", " set address by carla: certidão"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in:\n%s", want, shown)
		}
	}
	person("release", "name")
	if shown := person("show"); !strings.Contains(shown, "name: Maria da Silva\n") {
		t.Errorf("released:\n%s", shown)
	}
	list := done(t, "registry", "pending", "list")
	m := regexp.MustCompile(`(?m)^(\S+)  (\S+)  death  saude .* death: include by saude, approved by a human$`).FindStringSubmatch(list)
	if m == nil {
		t.Fatalf("pending:\n%s", list)
	}
	person("set", "gender", "female")
	done(t, "registry", "pending", "refuse", "-reason", "está viva", m[1], m[2], "death")
	if list := done(t, "registry", "pending", "list"); strings.Count(list, "\n") != 1 {
		t.Errorf("still pending:\n%s", list)
	}
}

func TestWhatMayNotBeDecidedIsRefusedInWords(t *testing.T) {
	town(t)
	who := []string{"-cpf", "52998224725", "-reason", "certidão"}
	for _, tc := range []struct {
		code int
		err  string
		args []string
	}{
		{exitUsage, "show|set|remove|release", []string{"person"}},
		{exitUsage, "one of -cpf N, -cnpj N and -id ID", []string{"person", "show", "-reason", "x"}},
		{exitUsage, "-reason TEXT is missing", []string{"person", "show", "-cpf", "52998224725"}},
		{exitFailed, "the number is false", []string{"person", "show", "-cpf", "52998224724", "-reason", "x"}},
		{exitFailed, "knows nobody", []string{"person", "show", "-cpf", "39053344705", "-reason", "x"}},
		{exitFailed, "is not decided by hand", append(append([]string{"person", "set"}, who...), "cpf", "11144477735")},
		{exitFailed, "no such field", append(append([]string{"person", "set"}, who...), "shoe_size", "40")},
		{exitFailed, "the value is refused: death_future", append(append([]string{"person", "set"}, who...), "death", "2999-01-01")},
		{exitUsage, "address has the parts street=…", append(append([]string{"person", "set"}, who...), "address", "Rua das Flores")},
		{exitFailed, "no decision by hand holds", append(append([]string{"person", "release"}, who...), "name")},
		{exitUsage, "are UUIDs", []string{"pending", "approve", "-reason", "x", "1", "2", "death"}},
		{exitFailed, "knows nobody", []string{"pending", "approve", "-reason", "x", "01a20109-d05b-77aa-a184-843b70d02a31", "01a20109-d05b-77aa-a184-843b70d02a31", "death"}},
	} {
		if s := invoke(t, append([]string{"registry"}, tc.args...)...); s.code != tc.code || !strings.Contains(s.err, tc.err) || s.out != "" {
			t.Errorf("%v: %+v", tc.args, s)
		}
	}
}

func TestAPolicyIsCheckedTriedAndApplied(t *testing.T) {
	town(t)
	if out := done(t, "registry", "policy", "start"); out != string(pmcc.DefaultYAML()) || done(t, "registry", "policy", "show") != out {
		t.Error("start and show differ from the default")
	}
	wrong := file(t, "wrong.yaml", strings.NewReplacer("wins: rank", "wins: luck", "confidence: 95", "confidence: 195").Replace(string(pmcc.DefaultYAML())))
	if s := invoke(t, "registry", "policy", "check", wrong); s.code != exitFailed || strings.Count(s.err, filepath.Base(wrong)+":") < 10 || !strings.Contains(s.err, ".confidence: ") {
		t.Errorf("%+v", s)
	}
	next := strings.NewReplacer("version: 1\n", "version: 2\n", "{source: saude, human: true}", "saude").Replace(string(pmcc.DefaultYAML()))
	path := file(t, "next.yaml", next)
	if out := done(t, "registry", "policy", "check", path); !regexp.MustCompile(`(?s)Of 2 people compared with version 1.* 1:.*death +1 +0 +0 +0 +0 +1\n.*death +nobody → saude +1\n`).MatchString(out) {
		t.Errorf("check:\n%s", out)
	}
	if out := done(t, "registry", "policy", "apply", path); !strings.Contains(out, "applied, version 2\n2 people decided anew in ") {
		t.Errorf("apply: %s", out)
	}
	if out := done(t, "registry", "policy", "apply", path); !strings.Contains(out, "unchanged, version 2\n0 people") {
		t.Errorf("again: %s", out)
	}
	if out := done(t, "registry", "policy", "recompute", "-workers", "1"); !strings.HasPrefix(out, "0 people") {
		t.Errorf("recompute: %s", out)
	}
	if done(t, "registry", "policy", "show") != next || done(t, "registry", "policy", "show", "-version", "1") != string(pmcc.DefaultYAML()) {
		t.Error("a version is not shown as it was applied")
	}
	other := file(t, "other.yaml", next+"\n# another\n")
	for _, command := range []string{"check", "apply"} {
		if s := invoke(t, "registry", "policy", command, other); s.code != exitFailed || !strings.Contains(s.err, "2 is not above 2, the newest") {
			t.Errorf("%s: %+v", command, s)
		}
	}
	if out := done(t, "registry", "person", "show", "-cpf", "52998224725", "-reason", "x"); !strings.Contains(out, "policy version 2") || !strings.Contains(out, "death: 2019-05-05\n") {
		t.Errorf("shown:\n%s", out)
	}
}
