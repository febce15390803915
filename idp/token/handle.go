package token

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loginunico/loginunico/idp/client"
	"github.com/loginunico/loginunico/internal/httpx"
	"github.com/loginunico/loginunico/registry/trust"
)

// Handler serves the protected resources of the protocol itself.
type Handler struct {
	Tokens  *Service
	Clients Clients
	Log     *slog.Logger
}

// GetUserinfo answers the UserInfo endpoint, GET and POST. OIDC Core §5.3.
//
// The token comes in the Authorization header, or in the body of a POST; never in the URI
// (RFC 6750 §2.3, RFC 9700 §4.3.2), and not both ways at once.
func (h *Handler) GetUserinfo(c echo.Context) error {
	httpx.NoStore(c)
	access, err := bearerToken(c.Request())
	if err != nil {
		return challengeBearer(c, http.StatusBadRequest, err)
	}
	if access == "" {
		return challengeBearer(c, http.StatusUnauthorized, nil)
	}
	body, signed, err := h.Tokens.Userinfo(c.Request().Context(), h.Clients, access)
	var e *Error
	var short *ShortError
	switch {
	case errors.As(err, &short):
		return challengeStepUp(c, short)
	case errors.As(err, &e) && e.Code == ErrScope.Code:
		return challengeBearer(c, http.StatusForbidden, e)
	case errors.As(err, &e):
		return challengeBearer(c, http.StatusUnauthorized, e)
	case err != nil:
		return h.failed(c, err)
	case signed:
		return c.Blob(http.StatusOK, "application/jwt", body)
	}
	return c.Blob(http.StatusOK, "application/json", body)
}

// bearerToken finds the one access token of a request; "" when there is none.
func bearerToken(r *http.Request) (string, error) {
	if r.URL.Query().Has("access_token") {
		return "", &Error{"invalid_request", "an access token does not belong in the URI"}
	}
	headers := r.Header.Values("Authorization")
	fromBody := ""
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return "", &Error{"invalid_request", "the body is not a form"}
		}
		fromBody = r.PostForm.Get("access_token")
	}
	if len(headers) > 1 || len(r.PostForm["access_token"]) > 1 || (len(headers) == 1 && fromBody != "") {
		return "", &Error{"invalid_request", "more than one access token"}
	}
	if len(headers) == 0 {
		return fromBody, nil
	}
	scheme, value, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return strings.TrimSpace(value), nil
}

// challengeBearer is the answer of RFC 6750 §3: with no token at all the challenge stands alone.
func challengeBearer(c echo.Context, status int, err error) error {
	challenge := `Bearer realm="loginunico"`
	var e *Error
	if !errors.As(err, &e) {
		c.Response().Header().Set("WWW-Authenticate", challenge)
		return c.NoContent(status)
	}
	challenge += `, error="` + e.Code + `", error_description="` + e.Description + `"`
	if e.Code == ErrScope.Code {
		challenge += `, scope="openid"`
	}
	c.Response().Header().Set("WWW-Authenticate", challenge)
	return c.JSON(status, map[string]string{"error": e.Code, "error_description": e.Description})
}

// challengeStepUp tells the client how strong an authentication this resource wants. It sends the
// citizen to the authorization endpoint with these acr_values. RFC 9470 §3.
func challengeStepUp(c echo.Context, e *ShortError) error {
	const code, why = "insufficient_user_authentication", "A different authentication level is required"
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="loginunico", error="`+code+`", error_description="`+why+
		`", acr_values="`+strings.Join(trust.ACRValues()[e.Needed-1:], " ")+`"`)
	return c.JSON(http.StatusUnauthorized, map[string]string{"error": code, "error_description": why})
}

// PostIntrospect answers the introspection endpoint to an authenticated client. RFC 7662 §2.
func (h *Handler) PostIntrospect(c echo.Context, app *client.Client) error {
	if app.Auth == client.AuthNone {
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="loginunico", charset="UTF-8"`) // RFC 6749 §5.2
		return c.JSON(http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "a public client cannot introspect"})
	}
	token := c.Request().PostForm.Get("token")
	if token == "" {
		return c.JSON(http.StatusBadRequest, map[string]string{"error": "invalid_request", "error_description": "token is missing"})
	}
	answer, err := h.Tokens.Introspect(c.Request().Context(), h.Clients, app, token)
	if err != nil {
		return h.failed(c, err)
	}
	return c.Blob(http.StatusOK, "application/json", answer)
}

func (h *Handler) failed(c echo.Context, err error) error {
	h.Log.ErrorContext(c.Request().Context(), "protected resource", "reference", httpx.Reference(c), "error", err.Error())
	return c.JSON(http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": "something failed on our side"})
}
