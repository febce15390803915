// Package icptest is an invented ICP-Brasil, for tests and for the demo: a root, two levels of
// authorities, and certificates of every profile, right and wrong.
//
//	pki := icptest.New(t, icptest.Options{})
//	maria := pki.Issue(icptest.ECPF("MARIA APARECIDA DA SILVA", "52998224725"))
//
// The layouts are those of DOC-ICP-04; the new profile, which has the number in the Subject's
// serialNumber, is that of Resolução CG ICP-Brasil 211/2024. What a profile says can be changed field by
// field before it is issued, so that each rule of the program has a certificate that breaks it alone.
package icptest
