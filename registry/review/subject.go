package review

import (
	"github.com/loginunico/loginunico/registry"
	"github.com/loginunico/loginunico/registry/match"
	"github.com/loginunico/loginunico/registry/record"
)

// SubjectOf is what the sources say of a person, as registry/match compares it.
func SubjectOf(p registry.Person) match.Subject {
	said := func(field string) string {
		if v := p.Fields[field]; v.Source != registry.SourceSelf {
			return v.Text
		}
		return ""
	}
	at := record.ParseLocation(said("address"))
	return match.Subject{ID: p.ID.String(), Name: said("name"), SocialName: said("social_name"),
		MotherName: said("mother_name"), FatherName: said("father_name"),
		Birthdate: said("birthdate"), Gender: sex(said("gender")), Birthplace: said("birthplace"),
		CPF: p.CPF.Digits(), Phone: said("phone_number"), Email: said("email"),
		Street: at.Street, Number: at.Number, Complement: at.Complement, District: at.District,
		City: at.City, Postcode: at.CEP, State: at.State}
}

// sex leaves out what does not tell two people apart: one source's "other" is another's "female".
func sex(gender string) string {
	if gender == "female" || gender == "male" {
		return gender
	}
	return ""
}
