package match

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Columns says which column of a file holds what: from the column's name in the header to one of
// id, name, given_name, surname, social_name, mother_name, father_name, birthdate, gender,
// birthplace, cpf, phone, email, street, number, complement, district, city, postcode, state.
// Columns not named are not read.
type Columns map[string]string

// setters put a value where its target says.
var setters = map[string]func(*Subject, string){
	"id":          func(s *Subject, v string) { s.ID = v },
	"name":        func(s *Subject, v string) { s.Name = v },
	"given_name":  func(s *Subject, v string) { s.GivenName = v },
	"surname":     func(s *Subject, v string) { s.Surname = v },
	"social_name": func(s *Subject, v string) { s.SocialName = v },
	"mother_name": func(s *Subject, v string) { s.MotherName = v },
	"father_name": func(s *Subject, v string) { s.FatherName = v },
	"birthdate":   func(s *Subject, v string) { s.Birthdate = v },
	"gender":      func(s *Subject, v string) { s.Gender = v },
	"birthplace":  func(s *Subject, v string) { s.Birthplace = v },
	"cpf":         func(s *Subject, v string) { s.CPF = v },
	"phone":       func(s *Subject, v string) { s.Phone = v },
	"email":       func(s *Subject, v string) { s.Email = v },
	"street":      func(s *Subject, v string) { s.Street = v },
	"number":      func(s *Subject, v string) { s.Number = v },
	"complement":  func(s *Subject, v string) { s.Complement = v },
	"district":    func(s *Subject, v string) { s.District = v },
	"city":        func(s *Subject, v string) { s.City = v },
	"postcode":    func(s *Subject, v string) { s.Postcode = v },
	"state":       func(s *Subject, v string) { s.State = v },
}

// ReadCSV reads subjects from a file with a header, UTF-8, comma or semicolon (whichever the header
// has more of), spaces around values ignored.
//
// Errors: a column or target that does not exist, all at once; a line that is no CSV; no id column.
func ReadCSV(r io.Reader, columns Columns) ([]Subject, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	header, _, _ := strings.Cut(string(data), "\n")
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	in.TrimLeadingSpace = true
	if strings.Count(header, ";") > strings.Count(header, ",") {
		in.Comma = ';'
	}
	names, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	put, err := columns.resolve(names)
	if err != nil {
		return nil, err
	}
	return readSubjects(in, put)
}

// resolve gives, by position, what to do with each column; nil where nothing.
func (c Columns) resolve(header []string) ([]func(*Subject, string), error) {
	put, hasID := make([]func(*Subject, string), len(header)), false
	var faults []error
	for _, column := range slices.Sorted(maps.Keys(c)) {
		i := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == column })
		set, known := setters[c[column]]
		switch {
		case i < 0:
			faults = append(faults, fmt.Errorf("no column %q in the header", column))
		case !known:
			faults = append(faults, fmt.Errorf("column %q: no field %q", column, c[column]))
		default:
			put[i] = set
			hasID = hasID || c[column] == "id"
		}
	}
	if !hasID {
		faults = append(faults, errors.New("no column is the id"))
	}
	return put, errors.Join(faults...)
}

func readSubjects(in *csv.Reader, put []func(*Subject, string)) ([]Subject, error) {
	var out []Subject
	for {
		line, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		var s Subject
		for i, v := range line {
			if put[i] != nil {
				put[i](&s, strings.TrimSpace(v))
			}
		}
		out = append(out, s)
	}
}
