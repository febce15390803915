package token

// Error is an OAuth error response (RFC 6749 §5.2, RFC 6750 §3.1).
type Error struct {
	Code        string // invalid_grant, invalid_scope, invalid_target, …
	Description string // for the developer of the client; no personal data
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

func invalidGrant(why string) error  { return &Error{"invalid_grant", why} }
func invalidScope(why string) error  { return &Error{"invalid_scope", why} }
func invalidTarget(why string) error { return &Error{"invalid_target", why} }
