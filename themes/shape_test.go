package themes

import (
	"strings"
	"testing"
)

const visitID, otherID = "0193a5c2-7e1b-7d40-9a3e-5b6c7d8e9f01", "0193ffff-0000-7000-8000-00000000000a"

// visited are the pages of a sign-in as the flow shows them.
func visited(frame Frame, id, cpf string) []sample {
	at := func(path string) string { return path + "?i=" + id }
	in := func(path string) Frame {
		f := frame
		f.Path, f.Visit = at(path), id
		return f
	}
	all := []sample{{"identify", in("/entrar"), Identify{Action: at("/entrar"), RegisterURL: at("/cadastro"), CancelURL: at("/cancelar")}},
		{"identify of ours", in("/entrar"), Identify{Action: at("/entrar"), RegisterURL: at("/cadastro")}},
		{"identify, a longer address", in("/entrar"), Identify{Action: at("/entrar") + "&x=1", RegisterURL: at("/cadastro")}}}
	for _, reauth := range []string{"", "login", "max_age"} {
		all = append(all, sample{"password " + reauth, in("/senha"),
			Password{Action: at("/senha"), CPF: cpf, ChangeURL: at("/entrar"), RegisterURL: at("/cadastro"), Reauth: reauth}})
	}
	return all
}

func TestAPagePiecedTogetherIsThePageRendered(t *testing.T) {
	t.Parallel()
	alone, contrast, other := Frame{}, service(), service()
	contrast.Contrast = true
	other.Service = &Service{ID: "x", Name: `<b>"&'` + "529.982.247-25 " + visitID, Contact: "x@example.org"}
	signedIn := service()
	signedIn.SignedIn = "Maria"
	r := fresh(t, "")
	for _, lang := range Languages {
		for _, frame := range []Frame{alone, service(), contrast, other, signedIn, withProblem("cpf", nil)} {
			frame.Lang = lang
			first := visited(frame, visitID, "529.982.247-25")
			for i, again := range visited(frame, otherID, "111.444.777-35") {
				for _, s := range []sample{first[i], again, first[i]} {
					got, err := r.Render(s.frame, s.view)
					want, wantErr := r.render(s.frame, s.view)
					if err != nil || wantErr != nil || string(got) != string(want) {
						t.Fatalf("%s %s: %v %v\n%s\nwant\n%s", lang, s.name, err, wantErr, got, want)
					}
				}
			}
		}
	}
}

func TestOnlyPagesWithoutAnythingTypedAreKept(t *testing.T) {
	t.Parallel()
	r := fresh(t, "")
	shown := func(f Frame, v View) {
		t.Helper()
		f.Lang = "pt-BR"
		if _, err := r.Render(f, v); err != nil {
			t.Fatal(err)
		}
	}
	page := visited(service(), visitID, "")[0]
	longer, typed, upper := page.frame, page.view.(Identify), page.frame
	longer.Path += "&utm=1"
	typed.CPF = "123"
	upper.Visit = strings.ToUpper(visitID)
	shown(longer, page.view)
	shown(page.frame, typed)
	shown(upper, page.view)
	shown(service(), page.view)
	if n := r.shapes.count.Load(); n != 0 {
		t.Errorf("kept %d of what visitors choose", n)
	}
	shown(page.frame, page.view)
	shown(page.frame, page.view)
	if n := r.shapes.count.Load(); n != 1 {
		t.Errorf("kept %d pages, want one", n)
	}
}
