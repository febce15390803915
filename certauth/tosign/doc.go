// Package tosign gives a citizen a text to sign in a program of their own, and takes the signature:
// for tokens that no browser reaches, and for whom the certificate host does not work.
//
// A text belongs to one visit and one browser, is good for fifteen minutes and one signature, and
// says where it signs in to. Who signs a text that they did not ask for gives their key away: the
// page says so too. [Texts.Answer] reads the signature (certauth/cms); chain, holder and revocation are
// for certauth, at the server's time.
package tosign
