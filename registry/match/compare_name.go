package match

// compareNames compares first name and surname together, since words pass from one to the other:
// glued (MARIACLARA SOUZA), exchanged (SOUZA MARIA CLARA), or the second name used as the first.
func compareNames(a, b *Prepared) (given, surname Agreement) {
	given, surname = compareGiven(a, b), compareSurnames(&a.surname, &b.surname)
	if given >= SameSound && surname >= Abridged {
		return given, surname
	}
	if a.joined != "" && a.joined == b.joined {
		return raise(given, SameSound), raise(surname, SameSound)
	}
	if given <= Partial && surname <= Partial && exchanged(a, b) {
		return Swapped, Missing // one piece of evidence, counted once
	}
	return given, surname
}

// raise lifts an agreement of two known values to at least g; unknown stays unknown.
func raise(got, g Agreement) Agreement {
	if got == Missing {
		return Missing
	}
	return max(got, g)
}

// exchanged says whether one's first name is the other's last and the other way round.
func exchanged(a, b *Prepared) bool {
	la, lb := a.last(), b.last()
	x, y := nearly(&a.given, lb), nearly(&b.given, la)
	switch {
	case a.given.text != "" && lb.text != "" && b.given.text != "" && la.text != "":
		return x && y
	case a.given.text == "" && lb.text == "": // only a's surname and b's first name are known
		return y
	case b.given.text == "" && la.text == "":
		return x
	}
	return false
}

// compareGiven compares first names; where either has a social name, whichever pair agrees best.
func compareGiven(a, b *Prepared) Agreement {
	g := compareFirst(&a.given, &b.given)
	if a.social.text != "" {
		g = max(g, compareFirst(&a.social, &b.given))
	}
	if b.social.text != "" {
		g = max(g, compareFirst(&a.given, &b.social), compareFirst(&a.social, &b.social))
	}
	if g == Different && (hasWord(b.surname.each, &a.given) || hasWord(a.surname.each, &b.given)) {
		return Partial // known by the second name
	}
	return g
}

func compareFirst(a, b *word) Agreement {
	if a.text == "" || b.text == "" {
		return Missing
	}
	if g := compareWords(a, b); g != Different || !initial(a, b) {
		return g
	}
	return Abridged
}

// compareWords compares two known words.
func compareWords(a, b *word) Agreement {
	switch {
	case a.text == b.text:
		return Exact
	case a.sound == b.sound:
		return SameSound
	case !canReach(a.text, b.text, a.set, b.set, similarFrom-slipSlack):
		return Different
	}
	switch j := jaroWinkler(a.text, b.text); {
	case j >= closeFrom:
		return Close
	case j >= similarFrom, min(len(a.text), len(b.text)) > 3 && oneSlip(a.text, b.text): // TOSE is JOSE, to Jaro far off
		return Similar
	}
	return Different
}

// slipSlack is by how much canReach's bound of two words one slip apart may fall short of
// similarFrom, from four letters on: one of four letters differs on each side.
const slipSlack = 0.02

// initial says whether one is the other's first letter.
func initial(a, b *word) bool {
	return a.text != "" && b.text != "" && a.text[0] == b.text[0] && (len(a.text) == 1 || len(b.text) == 1)
}

// nearly says whether two words are one but for a slip of the pen.
func nearly(a, b *word) bool {
	if a.text == "" || b.text == "" {
		return false
	}
	return a.sound == b.sound || similar(a, b, closeFrom)
}

func hasWord(ws []word, w *word) bool {
	if len(w.text) < 2 {
		return false
	}
	for i := range ws {
		if ws[i].sound == w.sound {
			return true
		}
	}
	return false
}

// compareSurnames compares the names after the first.
//
//	Exact, SameSound  word by word, in order
//	Close             every word has its like, nearly, and the first do
//	Contained         every word of the shorter has its like in the longer, and the first do (a married name)
//	Abridged          the same, but the first are not alike (a second name left out, initials)
//	Similar           nearly the same as one text
//	Partial           they share a word
func compareSurnames(x, y *words) Agreement {
	a, b := x.each, y.each
	if len(a) == 0 || len(b) == 0 {
		return Missing
	}
	if g := inOrder(a, b); g != Different {
		return g
	}
	if len(a) == 1 && len(b) == 1 {
		return compareFirst(&a[0], &b[0])
	}
	shorter, longer := a, b
	if len(a) > len(b) || len(a) == len(b) && x.one.text > y.one.text { // the same both ways round
		shorter, longer = b, a
	}
	switch found := paired(shorter, longer); {
	case found == len(shorter) && !nearly(&a[0], &b[0]):
		return Abridged
	case found == len(longer):
		return Close
	case found == len(shorter):
		return Contained
	case found > 0:
		return Partial
	}
	if similar(&x.one, &y.one, similarFrom) {
		return Similar
	}
	return Different
}

// inOrder gives Exact or SameSound when the words agree one by one.
func inOrder(a, b []word) Agreement {
	if len(a) != len(b) {
		return Different
	}
	g := Exact
	for i := range a {
		if a[i].sound != b[i].sound {
			return Different
		}
		if a[i].text != b[i].text {
			g = SameSound
		}
	}
	return g
}

// paired counts the words of the shorter that have their like in the longer, each used once.
func paired(shorter, longer []word) int {
	var used uint64
	found := 0
	for i := range shorter {
		for k := range min(len(longer), 64) {
			if used&(1<<k) == 0 && (nearly(&shorter[i], &longer[k]) || initial(&shorter[i], &longer[k])) {
				used |= 1 << k
				found++
				break
			}
		}
	}
	return found
}

func similar(a, b *word, t float64) bool {
	return canReach(a.text, b.text, a.set, b.set, t) && jaroWinkler(a.text, b.text) >= t
}

// compareParents compares a parent's whole name.
//
//	Exact, SameSound, Close  the whole name
//	Contained                first names agree and the shorter's other names are in the longer
//	Similar                  first names agree and one other name is shared (she married)
//	Partial                  first names agree, or the names after it
func compareParents(a, b *parent) Agreement {
	switch {
	case a.whole.text == "" || b.whole.text == "":
		return Missing
	case a.whole.text == b.whole.text:
		return Exact
	case a.whole.sound == b.whole.sound:
		return SameSound
	}
	first := compareFirst(&a.first, &b.first)
	rest := compareSurnames(&a.rest, &b.rest)
	switch {
	case first >= Close && rest >= SameSound, first >= SameSound && rest == Close:
		return Close
	case first >= Close && (rest >= Abridged || rest == Missing || rest == Close):
		return Contained
	case first >= Close && rest >= Partial:
		return Similar
	case first >= SameSound, rest >= SameSound && len(a.rest.each) > 1:
		return Partial
	case similar(&a.whole, &b.whole, closeFrom):
		return Close
	}
	return Different
}
