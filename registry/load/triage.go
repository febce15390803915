package load

import "github.com/loginunico/loginunico/registry/record"

// Outcome is what triage makes of a record.
type Outcome string

// The outcomes. The first two are taken into the registry.
const (
	Valid        Outcome = "valid"        // with a right CPF, or CNPJ
	WithoutCPF   Outcome = "without_cpf"  // it has none
	InvalidCPF   Outcome = "invalid_cpf"  // the number is false
	Inconsistent Outcome = "inconsistent" // it cannot be read, or says nothing of anybody
)

// Why a record is inconsistent; stable codes. A name that was refused has the code of its refusal.
const (
	LineLong    = "line_long"      // more than MaxRecord bytes
	QuoteOpen   = "quote_unusable" // a quote that is not closed, or followed by something else
	Undecodable = "undecodable"    // bytes that are nothing in the source's encoding
	NULByte     = "nul_byte"
	ColumnCount = "columns" // not as many as the header, or fewer than are used
	KeyEmpty    = "key_empty"
	NameEmpty   = "name_empty"
)

// EffectiveInvalid is the reason for taking the load's day instead of the record's.
var EffectiveInvalid = &record.Reason{Code: "effective_invalid"}

// Parsed is a record that can be taken. Its bytes are valid only until the callback returns.
type Parsed struct {
	File    *File
	Line    int64   // physical line it begins on, from 1
	Outcome Outcome // Valid or WithoutCPF
	CPF     []byte  // 11 digits; an organization's CNPJ, 14; empty: without
	Key     []byte  // the source's key: of each column its length (uvarint) and trimmed text
	Content record.Content
	Dated   bool             // Content is of the day the record says, not of the load's
	Dropped []*record.Reason // values left out; the reasons themselves may be kept
}

// Reject is a record that cannot. Its bytes are valid only until the callback returns.
type Reject struct {
	File    *File
	Line    int64   // physical line it begins on, from 1
	Outcome Outcome // InvalidCPF or Inconsistent
	Code    string
	Field   record.Field // 0: the record as a whole
	Raw     []byte       // as delivered, in UTF-8, without its line end; shortened beyond 4 KiB
}
