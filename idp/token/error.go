package token

// Error is an OAuth error response (RFC 6749 §5.2, RFC 6750 §3.1).
type Error struct {
	Code        string // invalid_grant, invalid_scope, invalid_target, …
	Description string // for the developer of the client; no personal data
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// errLevelFell: what the city knew when the grant was made has expired or was revoked since. A service
// never receives a token below the acr it needs; the refresh token stays, because the level may come back.
var errLevelFell = invalidGrant("the person's level is below what the service needs: send them to sign in again")

// ShortError is the answer of a protected resource to a token whose authentication is too weak for it.
// RFC 9470 §3.
type ShortError struct{ Needed int } // the lowest acr that will do, 1 to 5

func (e *ShortError) Error() string { return "a stronger authentication is needed" }

func invalidGrant(why string) error  { return &Error{"invalid_grant", why} }
func invalidScope(why string) error  { return &Error{"invalid_scope", why} }
func invalidTarget(why string) error { return &Error{"invalid_target", why} }
