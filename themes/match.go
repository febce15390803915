package themes

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Languages are the languages of every page; the first is the default.
var Languages = []string{"pt-BR", "es", "en"}

var matcher = language.NewMatcher([]language.Tag{
	language.BrazilianPortuguese, language.Spanish, language.English,
})

// Match chooses the language of a page. The first source that names a language we have decides:
//
//	uiLocales       OIDC Core §3.1.2.1: language tags in order of preference, parted by spaces
//	cookie          the language chosen on a page
//	account         the language kept with the account
//	acceptLanguage  the header (RFC 9110 §12.5.4)
//
// It answers one of Languages; the default when no source helps.
func Match(uiLocales, cookie, account, acceptLanguage string) string {
	for _, source := range []string{strings.Join(strings.Fields(uiLocales), ","), cookie, account, acceptLanguage} {
		if lang := best(source); lang != "" {
			return lang
		}
	}
	return Languages[0]
}

// best gives the language of ours that a list of tags asks for; "" when it asks for none.
func best(list string) string {
	if slices.Contains(Languages, list) {
		return list
	}
	if list == "" || len(list) > 500 { // longer than any browser sends
		return ""
	}
	tags := wanted(list)
	if len(tags) == 0 {
		return ""
	}
	_, index, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return ""
	}
	return Languages[index]
}

// wanted gives the tags of a list by falling weight, leaving out what is malformed or unwanted.
func wanted(list string) []language.Tag {
	type weighted struct {
		tag    language.Tag
		weight float32
	}
	var all []weighted
	for _, one := range strings.Split(list, ",") {
		tags, weights, err := language.ParseAcceptLanguage(one)
		if err == nil && len(tags) == 1 && weights[0] > 0 {
			all = append(all, weighted{tags[0], weights[0]})
		}
	}
	slices.SortStableFunc(all, func(a, b weighted) int { return cmp.Compare(b.weight, a.weight) })
	tags := make([]language.Tag, len(all))
	for i, w := range all {
		tags[i] = w.tag
	}
	return tags
}

// known gives lang when it is one of Languages, else the default.
func known(lang string) string {
	if slices.Contains(Languages, lang) {
		return lang
	}
	return Languages[0]
}
