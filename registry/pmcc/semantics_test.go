package pmcc_test

import (
	"slices"
	"testing"
)

// Every rule a policy can have, each told by what it makes of a few records.
func TestThePolicyDecidesWhatBecomesOfEachValue(t *testing.T) {
	t.Parallel()

	const (
		ranked    = "name: {rank: [base, other, weak], include: [base, other, weak], change: [base, other, weak]}"
		newest    = "phone_number: {wins: newest, rank: [self, base], include: [base, other, self], change: [base, other, {source: self, min_level: 3}], exclude: [base, {source: self, min_level: 2}]}"
		confident = "name: {wins: confidence, include: [base, other, weak], change: [base, other, weak]}"
		human     = "name: {rank: [base, self], include: [base, {source: other, human: true}], change: [base, {source: self, min_level: 3, human: true}]}"
		benefit   = "benefit: {wins: newest, include: [base, other], change: [base, other], exclude: [base, other]}"
	)
	for _, tc := range []struct {
		name, policy string
		records      []string
		decisions    []string
		want         []string
	}{
		// who may
		{"include", ranked, []string{"weak 2020-01-01 name=Ana"}, nil, []string{"name=Ana #0 40 by include weak"}},
		{"no right to include", "name: {include: [base]}", []string{"other 2020-01-01 name=Ana"}, nil, []string{"!name #0 no_right"}},
		{"no right to change", "name: {wins: newest, include: [base, other], change: [base]}",
			[]string{"base 2020-01-01 name=Ana", "other 2021-01-01 name=Eva"}, nil, []string{"!name #1 no_right", "name=Ana #0 80 by include base", "~name"}},
		{"a source without the right to change corrects itself", "name: {include: [base, other]}",
			[]string{"base/1 2020-01-01 name=Ana", "base/1 2021-01-01 name=Eva"}, nil, []string{"name=Eva #1 80 by include base"}},
		{"include does not follow from change", "name: {include: [other], change: [base]}", []string{"base 2020-01-01 name=Ana"}, nil, []string{"!name #0 no_right"}},
		{"a level too low to include", "name: {include: [{source: self, min_level: 2}]}", []string{"self:1 2020-01-01 name=Ana"}, nil, []string{"!name #0 level"}},
		{"a level high enough", "name: {include: [{source: self, min_level: 2}]}", []string{"self:2 2020-01-01 name=Ana"}, nil, []string{"name=Ana #0 50 by include self"}},
		{"a level too low to change", newest, []string{"base 2020-01-01 phone_number=1", "self:2 2021-01-01 phone_number=2"}, nil,
			[]string{"!phone_number #1 level", "phone_number=1 #0 80 by include base", "~phone_number"}},
		{"a level high enough to change", newest, []string{"base 2020-01-01 phone_number=1", "self:3 2021-01-01 phone_number=2"}, nil,
			[]string{"phone_number=2 #1 50 by change self", "~phone_number"}},
		{"the conditions of a change hold for one's own value too", newest, []string{"self:1 2020-01-01 phone_number=1", "self:1 2021-01-01 phone_number=2"}, nil,
			[]string{"!phone_number #1 level", "phone_number=1 #0 50 by include self"}},
		{"a source the policy does not name", ranked, []string{"stranger 2020-01-01 name=Ana", "weak 2019-01-01 name=Eva"}, nil,
			[]string{"!name #0 unknown_source", "name=Eva #1 40 by include weak"}},
		{"a field the policy does not speak of", ranked, []string{"base 2020-01-01 passport=X1"}, nil, []string{"!passport #0 no_right"}},

		// who wins
		{"by rank, the newer from a worse source loses", ranked, []string{"base 2020-01-01 name=Ana", "weak 2026-01-01 name=Eva"}, nil,
			[]string{"!name #1 lost", "name=Ana #0 80 by include base", "~name"}},
		{"by rank, the older from a better source wins", ranked, []string{"base 2020-01-01 name=Ana", "weak 2019-01-01 name=Eva"}, nil,
			[]string{"name=Ana #0 80 by change base", "~name"}},
		{"by rank, within one source the newer", ranked, []string{"other 2020-01-01 name=Ana", "other 2021-01-01 name=Eva"}, nil, []string{"name=Eva #1 60 by change other"}},
		{"by rank, of one day the better", ranked, []string{"base 2020-01-01 name=Ana", "other 2020-01-01 name=Eva"}, nil, []string{"name=Ana #0 80 by change base", "~name"}},
		{"by newest", newest, []string{"base 2021-01-01 phone_number=1", "other 2020-01-01 phone_number=2"}, nil,
			[]string{"phone_number=1 #0 80 by change base", "~phone_number"}},
		{"by newest, of one day the better rank", newest, []string{"base 2020-01-01 phone_number=1", "other 2020-01-01 phone_number=2"}, nil,
			[]string{"phone_number=1 #0 80 by change base", "~phone_number"}},
		{"by confidence", confident, []string{"other 2020-01-01 name=Ana", "weak 2021-01-01 name=Eva", "base 2022-01-01 name=Iva"}, nil,
			[]string{"!name #1 lost", "name=Iva #2 80 by change base", "~name"}},
		{"by confidence, two witnesses outweigh one stronger", confident, []string{"other 2020-01-01 name=Ana", "weak 2021-01-01 name=Ana", "other 2022-01-01 name=Eva"}, nil,
			[]string{"!name #2 lost", "name=Ana #0 76 by include other"}},
		{"by confidence, of one confidence the newer", confident, []string{"base/1 2020-01-01 name=Ana", "base/1 2021-01-01 name=Eva"}, nil,
			[]string{"name=Eva #1 80 by change base"}},
		{"of two deliveries of one record on one day the later", ranked, []string{"base/1 2020-01-01 name=Ana", "base/1 2020-01-01 name=Eva"}, nil,
			[]string{"name=Eva #1 80 by change base"}},

		// who agrees
		{"a second source raises confidence", ranked, []string{"base 2020-01-01 name=Ana", "other 2021-01-01 name=Ana"}, nil, []string{"name=Ana #0 92 by include base"}},
		{"a stronger one becomes the origin", ranked, []string{"weak 2020-01-01 name=Ana", "base 2021-01-01 name=Ana"}, nil, []string{"name=Ana #1 88 by change base"}},
		{"names agree without case and accents", ranked, []string{"base 2020-01-01 name=JOSE", "other 2021-01-01 name=José"}, nil, []string{"name=José #0 92 by include base"}},
		{"a source that delivers again is no second witness", ranked,
			[]string{"base 2020-01-01 name=Ana", "other/1 2021-01-01 name=Ana", "other/1 2022-01-01 name=Ana", "other/2 2023-01-01 name=Ana", "base 2024-01-01 name=Ana"},
			nil, []string{"name=Ana #0 92 by include base"}},
		{"an answered channel stays answered", newest, []string{"base 2020-01-01 phone_number=1", "self:1 2021-01-01 phone_number=1+", "base 2022-01-01 phone_number=1"}, nil,
			[]string{"phone_number=1 #0 90 by include base +"}},
		{"certainty is never reached", confident, []string{"base 2020-01-01 name=Ana", "other 2021-01-01 name=Ana", "weak 2022-01-01 name=Ana"}, nil,
			[]string{"name=Ana #0 95 by include base"}},

		// what takes a value away
		{"a newer version withdraws, with the right", benefit, []string{"base/1 2020-01-01 benefit/bpc=2020", "base/1 2021-01-01"}, nil, nil},
		{"a newer version withdraws, without the right", ranked, []string{"base/1 2020-01-01 name=Ana", "base/1 2021-01-01"}, nil, []string{"name=Ana #0 80 by include base"}},
		{"an older version that comes late withdraws nothing", benefit, []string{"base/1 2021-01-01 benefit/bpc=2020", "base/1 2020-01-01"}, nil,
			[]string{"benefit/bpc=2020 #0 80 by include base"}},
		{"another record of the source withdraws nothing", benefit, []string{"base/1 2020-01-01 benefit/bpc=2020", "base/2 2021-01-01"}, nil,
			[]string{"benefit/bpc=2020 #0 80 by include base"}},
		{"the citizen withdraws, with the level", newest, []string{"self:1 2020-01-01 phone_number=1", "self:2 2021-01-01 -phone_number"}, nil, nil},
		{"the citizen withdraws, without the level", newest, []string{"self:1 2020-01-01 phone_number=1", "self:1 2021-01-01 -phone_number"}, nil,
			[]string{"phone_number=1 #0 50 by include self"}},
		{"nobody below withdraws what somebody above holds", "phone_number: {wins: newest, rank: [base, other], include: [base, other], change: [base, other], exclude: [base, other]}",
			[]string{"base 2020-01-01 phone_number=1", "other 2021-01-01 -phone_number"}, nil, []string{"phone_number=1 #0 80 by include base"}},
		{"somebody above withdraws what somebody below holds", "phone_number: {wins: newest, rank: [base, other], include: [base, other], change: [base], exclude: [base, other]}",
			[]string{"other 2020-01-01 phone_number=1", "base 2021-01-01 -phone_number"}, nil, nil},
		{"but not without the right to change it", "phone_number: {wins: newest, rank: [base, other], include: [base, other], exclude: [base, other]}",
			[]string{"other 2020-01-01 phone_number=1", "base 2021-01-01 -phone_number"}, nil, []string{"phone_number=1 #0 60 by include other"}},
		{"nor without the level that takes", newest, []string{"base 2020-01-01 phone_number=1", "self:2 2021-01-01 -phone_number"}, nil,
			[]string{"phone_number=1 #0 80 by include base"}},
		{"with the level, what stands below", newest, []string{"base 2020-01-01 phone_number=1", "self:3 2021-01-01 -phone_number"}, nil, nil},
		{"what is withdrawn may come again", benefit, []string{"base/1 2020-01-01 benefit/bpc=a", "base/1 2021-01-01", "base/1 2022-01-01 benefit/bpc=b"}, nil,
			[]string{"benefit/bpc=b #2 80 by include base"}},

		// void records
		{"a void record counts for nothing", ranked, []string{"base/1 2020-01-01 name=Ana", "weak 2020-01-01 name=Eva", "base/1 void"}, nil,
			[]string{"name=Eva #1 40 by include weak"}},
		{"all versions before are void", ranked, []string{"base/1 2020-01-01 name=Ana", "base/1 2021-01-01 name=Eva", "base/1 void"}, nil, nil},
		{"another record of the source stands", ranked, []string{"base/1 2020-01-01 name=Ana", "base/2 2019-01-01 name=Eva", "base/1 void"}, nil,
			[]string{"name=Eva #1 80 by include base"}},
		{"the same key of another source stands", ranked, []string{"base/1 2020-01-01 name=Ana", "other/1 2019-01-01 name=Eva", "base/1 void"}, nil,
			[]string{"name=Eva #1 60 by include other"}},
		{"a version after stands, whatever its date", benefit, []string{"base/1 2020-01-01 benefit/bpc=a", "base/1 void", "base/1 2021-01-01 benefit/bpc=b"}, nil,
			[]string{"benefit/bpc=b #2 80 by include base"}},

		// humans
		{"a first value waits", human, []string{"other 2020-01-01 name=Ana"}, nil, []string{"!name #0 pending", "?name=Ana #0 by include other"}},
		{"is approved", human, []string{"other 2020-01-01 name=Ana"}, []string{"approve name 0"}, []string{"name=Ana #0 60 by include other"}},
		{"is refused", human, []string{"other 2020-01-01 name=Ana"}, []string{"refuse name 0"}, []string{"!name #0 refused_by_human"}},
		{"the later answer counts", human, []string{"other 2020-01-01 name=Ana"}, []string{"refuse name 0", "approve name 0"}, []string{"name=Ana #0 60 by include other"}},
		{"an answer about another field is none", human, []string{"other 2020-01-01 name=Ana"}, []string{"approve email 0"},
			[]string{"!name #0 pending", "?name=Ana #0 by include other"}},
		{"a change waits below the value", human, []string{"base 2020-01-01 name=Ana", "self:3 2021-01-01 name=Eva"}, nil,
			[]string{"!name #1 pending", "?name=Eva #1 by change self", "name=Ana #0 80 by include base", "~name"}},
		{"a change that a human approved stands above rank", human, []string{"base 2020-01-01 name=Ana", "self:3 2021-01-01 name=Eva"}, []string{"approve name 1"},
			[]string{"name=Eva #1 50 by change self", "~name"}},
		{"it outlives a source that repeats itself", human, []string{"base/1 2020-01-01 name=Ana", "self:3 2021-01-01 name=Eva", "base/1 2022-01-01 name=Ana"}, []string{"approve name 1"},
			[]string{"!name #2 lost", "name=Eva #1 50 by change self", "~name"}},
		{"it yields to what a better source newly says", human, []string{"base/1 2020-01-01 name=Ana", "self:3 2021-01-01 name=Eva", "base/1 2022-01-01 name=Iva"}, []string{"approve name 1"},
			[]string{"name=Iva #2 80 by change base", "~name"}},
		{"without the level it does not even wait", human, []string{"base 2020-01-01 name=Ana", "self:2 2021-01-01 name=Eva"}, nil,
			[]string{"!name #1 level", "name=Ana #0 80 by include base", "~name"}},
		{"the same word waits once", human, []string{"other/1 2020-01-01 name=Ana", "other/1 2021-01-01 name=Ana"}, nil,
			[]string{"!name #0 pending", "!name #1 pending", "?name=Ana #0 by include other"}},
		{"and is answered once", human, []string{"other/1 2020-01-01 name=Ana", "other/1 2021-01-01 name=Ana", "other/1 2022-01-01 name=Eva"}, []string{"refuse name 0"},
			[]string{"!name #0 refused_by_human", "!name #1 refused_by_human", "!name #2 pending", "?name=Eva #2 by include other"}},

		// overrides
		{"a set value stands above all", ranked, []string{"base 2020-01-01 name=Ana"}, []string{"set name=Eva"}, []string{"name=Eva 100 by a human"}},
		{"where there was none", ranked, nil, []string{"set name=Eva"}, []string{"name=Eva 100 by a human"}},
		{"the last of two", ranked, nil, []string{"set name=Eva", "set name=Iva"}, []string{"name=Iva 100 by a human"}},
		{"removed", ranked, []string{"base 2020-01-01 name=Ana"}, []string{"remove name"}, nil},
		{"removed, and set again", ranked, []string{"base 2020-01-01 name=Ana"}, []string{"remove name", "set name=Eva"}, []string{"name=Eva 100 by a human"}},
		{"released, the policy decides", ranked, []string{"base 2020-01-01 name=Ana"}, []string{"set name=Eva", "release name"}, []string{"name=Ana #0 80 by include base"}},
		{"of one key, the others stand", benefit, []string{"base 2020-01-01 benefit/a=1 benefit/b=2 benefit/c=3"}, []string{"remove benefit/b", "set benefit/bb=4"},
			[]string{"benefit/a=1 #0 80 by include base", "benefit/bb=4 100 by a human", "benefit/c=3 #0 80 by include base"}},

		// keyed fields
		{"each key by itself", benefit, []string{"base/1 2020-01-01 benefit/a=1 benefit/b=2", "other 2021-01-01 benefit/b=3", "base/1 2022-01-01 benefit/b=2"}, nil,
			[]string{"benefit/b=2 #2 80 by change base", "~benefit"}},

		// what never enters
		{"placeholder", "name: {include: [base], refuse: [nobody]}", []string{"base 2020-01-01 name=nao_consta"}, nil, []string{"!name #0 placeholder"}},
		{"one letter", "name: {include: [base], refuse: [one_letter]}", []string{"base 2020-01-01 name=XX_XX"}, nil, []string{"!name #0 one_letter"}},
		{"short", "name: {include: [base], refuse: [{shorter: 4}]}", []string{"base 2020-01-01 name=Ana"}, nil, []string{"!name #0 short"}},
		{"equals", "name: {include: [base], refuse: [{equals: Ninguém}]}", []string{"base 2020-01-01 name=NINGUEM"}, nil, []string{"!name #0 equals"}},
		{"matches", `name: {include: [base], refuse: [{matches: "[0-9]"}]}`, []string{"base 2020-01-01 name=An4"}, nil, []string{"!name #0 matches"}},
		{"before", `birthdate: {include: [base], refuse: [{before: "1896-01-01"}]}`, []string{"base 2020-01-01 birthdate=1895-12-31"}, nil, []string{"!birthdate #0 before"}},
		{"on the day it is not before", `birthdate: {include: [base], refuse: [{before: "1896-01-01"}]}`, []string{"base 2020-01-01 birthdate=1896-01-01"}, nil,
			[]string{"birthdate=1896-01-01 #0 80 by include base"}},
		{"after today, the day it came in", "birthdate: {include: [base], refuse: [after_today]}", []string{"base 2020-01-01 birthdate=2026-11-22"}, nil,
			[]string{"!birthdate #0 after_today"}},
		{"today", "birthdate: {include: [base], refuse: [after_today]}", []string{"base 2020-01-01 birthdate=2026-11-21"}, nil,
			[]string{"birthdate=2026-11-21 #0 80 by include base"}},
		{"what never enters takes nothing's place", "name: {include: [base, other], change: [base, other], refuse: [nobody]}",
			[]string{"other 2020-01-01 name=Ana", "base 2021-01-01 name=TESTE"}, nil, []string{"!name #1 placeholder", "name=Ana #0 60 by include other"}},
	} {
		records := story(t, tc.records...)
		if got := compute(t, policy(t, tc.policy), records, decided(t, records, tc.decisions...)); !slices.Equal(got, tc.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tc.name, got, tc.want)
		}
	}
}

func TestWhatTheCitizenSaidLastIsWhatTheySay(t *testing.T) {
	t.Parallel()

	p := policy(t, "phone_number: {include: [base], change: [base]}", "email: {include: [base]}")
	records := story(t,
		"self:1 2020-01-01 phone_number=1 email=a@b+",
		"base 2024-01-01 phone_number=2 email=c@d",
		"self:3 2021-01-01 phone_number=3",
		"self:1 2022-01-01 -email")
	if got, want := declared(t, p, records), []string{"phone_number=3 #2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: whatever the policy lets in", got, want)
	}
}

// Two words of a citizen in one second have no other order than the one they came in.
func TestOfTwoWordsInOneSecondTheLaterCounts(t *testing.T) {
	t.Parallel()

	p := policy(t, "phone_number: {wins: newest, include: [self], change: [self]}")
	for _, keys := range [][2]int64{{1, 2}, {2, 1}} { // digests, as good as random
		records := story(t, "self:1 2020-01-01 phone_number=1", "self:1 2020-01-01 phone_number=2")
		records[0].Key, records[1].Key = keys[0], keys[1]
		if got := compute(t, p, records, nil); !slices.Equal(got, []string{"phone_number=2 #1 50 by change self"}) {
			t.Errorf("keys %v: %q", keys, got)
		}
		if got := declared(t, p, records); !slices.Equal(got, []string{"phone_number=2 #1"}) {
			t.Errorf("keys %v: says %q", keys, got)
		}
	}
}
