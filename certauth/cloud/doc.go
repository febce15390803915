// Package cloud has certificates in the cloud sign for their holders: those that a trust service
// provider (PSC) keeps, by the protocol of DOC-ICP-17.01.
//
//	Begin ──► row of a trip, URL of the PSC ──► (citizen consents there) ──► Take: the trip, once
//	      └─► by push: the PSC asks the citizen's telephone, and Ready says when they have answered
//	Finish: code for a token, certificate, signature of our text ──► the certificate that signed
//
// The PSC says who has authorised (authorized_identification); that signs nobody in. It signs a text
// of ours with the citizen's key, the signature is checked here, and the certificate's chain and
// revocation by certauth, as with a token on the table. The access token is gone when Finish returns.
//
// PSCs differ in how they want the hash (hexadecimal or base64), in what they answer (RAW, CMS), and
// in whether a browser goes there or a telephone is asked: see [Provider]. psctest is a stand-in.
package cloud
