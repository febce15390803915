package fail

import (
	"errors"
	"maps"
)

// Kind says what went wrong in the terms of the caller. The zero value is Internal.
type Kind int

// The kinds. Each maps to one HTTP status in internal/httpx.
const (
	Internal        Kind = iota // our fault; the cause is for the log alone
	Invalid                     // the input does not hold
	Unauthenticated             // nobody is signed in, or the proof is wrong
	Forbidden                   // known, but not allowed
	NotFound
	Conflict  // the state changed under the request
	Throttled // too many tries; Args may carry when to come back
	Expired   // it was valid once
	TooLarge
)

var kindNames = [...]string{
	Internal:        "internal",
	Invalid:         "invalid",
	Unauthenticated: "unauthenticated",
	Forbidden:       "forbidden",
	NotFound:        "not_found",
	Conflict:        "conflict",
	Throttled:       "throttled",
	Expired:         "expired",
	TooLarge:        "too_large",
}

// String is the kind in snake case, for logs and metrics labels.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return kindNames[Internal]
	}
	return kindNames[k]
}

// codeInternal is the code of every error that has none of its own.
const codeInternal = "internal"

// Error is an error with a kind and a code. It is immutable.
type Error struct {
	kind Kind
	code string
	args map[string]any
}

// New declares an error.
//
//	code  snake case, stable: the message id is "problem.<code>"
func New(kind Kind, code string) *Error { return &Error{kind: kind, code: code} }

// Error is the code alone: arguments may be personal and stay out of logs.
func (e *Error) Error() string { return e.code }

// Kind is the kind the error was declared with.
func (e *Error) Kind() Kind { return e.kind }

// Code is the stable code.
func (e *Error) Code() string { return e.code }

// With returns a copy that carries args for the message. Earlier arguments of other names stay.
func (e *Error) With(args map[string]any) *Error {
	merged := make(map[string]any, len(e.args)+len(args))
	maps.Copy(merged, e.args)
	maps.Copy(merged, args)
	return &Error{kind: e.kind, code: e.code, args: merged}
}

// Is makes errors.Is hold between an error and its copies: kind and code are the identity.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.kind == e.kind && t.code == e.code
}

// KindOf is the kind of the first *Error in err's tree; Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.kind
	}
	return Internal
}

// CodeOf is the code of the first *Error in err's tree; "internal" when there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.code
	}
	return codeInternal
}

// ArgsOf is a copy of the arguments of the first *Error in err's tree; nil when there are none.
func ArgsOf(err error) map[string]any {
	if e, ok := errors.AsType[*Error](err); ok {
		return maps.Clone(e.args)
	}
	return nil
}
