package registry

import (
	"slices"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/registry/record"
)

// A record is about whoever its newest version with a document says, by the date of the source and
// not by the order of arrival. Versions with another document were about somebody else and count for
// nothing; versions without one go where the record goes.

// filedVersion is a version of a record filed before, under whom, and what it said.
type filedVersion struct {
	person    PersonID
	digest    int64
	voids     bool
	document  string // CPF or CNPJ; "": none
	effective int64
	content   record.Content
}

func newFiledVersion(person PersonID, digest int64, content record.Content) (v filedVersion, err error) {
	head, values, err := content.Open()
	v = filedVersion{person: person, digest: digest, voids: content.IsVoid(), effective: head.Effective, content: content}
	for value, ok := values.Next(); ok; value, ok = values.Next() {
		if value.Field == record.CPF || value.Field == record.CNPJ {
			v.document = string(value.Text)
		}
	}
	return v, err
}

// moving lists the keys of records that come with a document and were filed under somebody else.
func (l *lookUp) moving(records []Incoming) (keys []int64) {
	for i := range records {
		r := &records[i]
		if r.Document == uuid.Nil {
			continue
		}
		owner, known := l.byDocument[r.Document]
		if slices.ContainsFunc(l.of(r.Key), func(v version) bool { return !known || v.person != owner }) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// elsewhere is the newest date at which the record stands, with a document, under others.
func (l *lookUp) elsewhere(key int64, person PersonID) (newest int64, stands bool) {
	var standing []filedVersion
	for _, v := range l.history[key] {
		if v.voids {
			standing = slices.DeleteFunc(standing, func(w filedVersion) bool { return w.person == v.person })
		} else {
			standing = append(standing, v)
		}
	}
	for _, v := range standing {
		if v.person != person && v.document != "" && (!stands || v.effective > newest) {
			newest, stands = v.effective, true
		}
	}
	return newest, stands
}

// move files the versions of one record that come for a person under whom it does not stand, though
// it was filed before.
func (b *Bulk) move(run []Incoming, person PersonID, known *lookUp, touched map[PersonID]bool, load uuid.UUID) error {
	first := &run[0]
	fresh, newest, document := run[:0:0], int64(0), ""
	for i := range run {
		v, err := newFiledVersion(person, run[i].Digest, run[i].Content)
		if err != nil {
			return err
		}
		document = v.document
		if newest = max(newest, v.effective); i == 0 {
			newest = v.effective
		}
		if !slices.ContainsFunc(run[:i], func(r Incoming) bool { return r.Digest == run[i].Digest }) {
			fresh = append(fresh, run[i])
		}
	}
	b.tally.Unchanged += int64(len(run) - len(fresh))
	if at, stands := known.elsewhere(first.Key, person); stands && at > newest {
		b.late(fresh, person, known)
		return nil
	}
	b.bringAlong(fresh, document, known)
	for i := range fresh {
		r := &fresh[i]
		b.keep(r.Source, r.Key, r.Digest, r.Content)
	}
	b.tally.New += int64(len(fresh))
	b.withdraw(first, person, known, touched, load)
	return nil
}

// late files versions that have been overtaken by one about somebody else: they are kept, and void.
func (b *Bulk) late(run []Incoming, person PersonID, known *lookUp) {
	some := false
	for i := range run {
		r := &run[i]
		if slices.ContainsFunc(known.history[r.Key], func(v filedVersion) bool { return v.person == person && v.digest == r.Digest }) {
			b.tally.Unchanged++
			continue
		}
		b.tally.New++
		b.keep(r.Source, r.Key, r.Digest, r.Content)
		some = true
	}
	if some {
		b.keep(run[0].Source, run[0].Key, 0, record.Void(b.at))
	}
}

// bringAlong files again, under the person a record is now about, its earlier versions that named
// nobody else.
func (b *Bulk) bringAlong(run []Incoming, document string, known *lookUp) {
	seen := map[int64]bool{}
	for i := range run {
		seen[run[i].Digest] = true
	}
	for _, v := range known.history[run[0].Key] {
		if v.voids || v.document != "" && v.document != document || seen[v.digest] {
			continue
		}
		seen[v.digest] = true
		b.keep(run[0].Source, run[0].Key, v.digest, v.content)
	}
}
