package record_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/loginunico/loginunico/registry/record"
)

// FuzzContent: any bytes open or are ErrContent, and what opens can be written again and says the
// same.
func FuzzContent(f *testing.F) {
	whole := record.Begin(nil, 3, time.Unix(1_700_000_000, 0)).
		Append(record.Value{Field: record.Name, Text: []byte("Ana")}).
		Append(record.Value{Field: record.Email, Text: []byte("ana@example.org"), Confirmed: 1_700_000_000}).
		Append(record.Value{Field: record.Benefit, Key: []byte("bpc"), Excluded: true})
	f.Add([]byte(whole))
	for cut := range whole {
		f.Add([]byte(whole[:cut]))
	}
	f.Add([]byte(record.Void(time.Unix(-1, 0))))
	f.Add([]byte{1, 6, 0})
	f.Add([]byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{1, 0, 0, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := record.Content(data)
		head, values, err := c.Open()
		if err != nil {
			if !errors.Is(err, record.ErrContent) {
				t.Fatal(err)
			}
			return
		}
		again := record.Begin(nil, head.Level, time.Unix(head.Effective, 0))
		n := 0
		for v, ok := values.Next(); ok; v, ok = values.Next() {
			if !v.Field.Valid() {
				t.Fatalf("%+v", v)
			}
			again = again.Append(v)
			n++
		}
		if err := values.Err(); err != nil {
			if _, ok := values.Next(); !errors.Is(err, record.ErrContent) || ok {
				t.Fatalf("%v, and then more", err)
			}
			return
		}
		if c.IsVoid() != again.IsVoid() {
			t.Fatal("void?")
		}
		same, values, err := again.Open()
		if err != nil || same != head {
			t.Fatalf("%+v became %+v, %v", head, same, err)
		}
		_, were, _ := c.Open()
		for range n {
			v, _ := values.Next()
			was, _ := were.Next()
			if v.Field != was.Field || v.Excluded != was.Excluded || v.Confirmed != was.Confirmed || !bytes.Equal(v.Text, was.Text) || !bytes.Equal(v.Key, was.Key) {
				t.Fatalf("%+v became %+v", was, v)
			}
		}
	})
}
