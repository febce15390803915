package testbrowser

import "github.com/chromedp/cdproto/webauthn"

// Authenticator is a device that the browser believes it has: it keeps passkeys and answers for a
// person who is always there. WebAuthn Level 3 §11.
type Authenticator struct {
	b  *Browser
	id webauthn.AuthenticatorID
}

// Authenticator gives the browser a device; verifies says whether its owner shows biometrics or PIN.
func (b *Browser) Authenticator(verifies bool) *Authenticator {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	made := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: verifies, AutomaticPresenceSimulation: true,
		HasCmtgKey: true}}) // or the credentials of Hold, which always speak of it, are refused
	return &Authenticator{b: b, id: made.AuthenticatorID}
}

// Hold gives the device a passkey that exists already.
//
//	key     PKCS #8
//	handle  the user handle
func (a *Authenticator) Hold(domain string, id, key, handle []byte) {
	a.b.t.Helper()
	call(a.b, webauthn.AddCredential, webauthn.AddCredentialParams{AuthenticatorID: a.id, Credential: &webauthn.Credential{
		CredentialID: id, IsResidentCredential: true, RpID: domain, PrivateKey: key, UserHandle: handle, SignCount: 1}})
}

// Refuse makes the owner fail at biometrics and PIN, or succeed again.
func (a *Authenticator) Refuse(refuse bool) {
	a.b.t.Helper()
	call(a.b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: !refuse})
}

// Passkeys is how many the device keeps.
func (a *Authenticator) Passkeys() int {
	a.b.t.Helper()
	return len(call(a.b, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials)
}
