// Package cms reads signatures that somebody made with a certificate of their own over a text that we
// gave them, and says which certificate signed. Whether it counts is for certauth to decide, now and
// not at the time that the message says of itself.
//
// A message is bounded before it is read, then taken apart by go.mozilla.org/pkcs7, whose gaps are
// closed here: it takes a signature without signed attributes, and with that one whose attributes
// were made its content; it does not look at the content-type, knows no signing certificate, trusts
// signingTime, and reads any BER.
//
// RFC 5652, RFC 5035, DOC-ICP-15.03 (AD-RB).
package cms
