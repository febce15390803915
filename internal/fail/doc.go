// Package fail gives an error a kind, which decides how the answer looks, and a stable code, which
// names its message.
//
// A package declares the errors its callers branch on:
//
//	var ErrGrantNotFound = fail.New(fail.NotFound, "grant_not_found")
//
// and returns them as they are, wrapped with %w, or as a copy that carries what the message needs:
//
//	return ErrTooManyTries.With(map[string]any{"minutes": 5})
//
// It knows nothing of status codes, pages or languages: internal/httpx and themes translate.
package fail
