// Package match says whether two records speak of one person, when no document says it.
//
//	Subject ──Prepare──► Prepared ──Keys──► candidates of the same block
//	                        │
//	                        └──Score──► Result (weight, parts) ──Decide──► Auto | Review | None
//
// It owns the normal form and the phonetics of Brazilian names, the blocking keys, the comparison
// of two subjects field by field, the weights (Fellegi–Sunter, learnt without labels by EM), the
// decision, and the linking of whole files ([Link], [LinkTwo]). It keeps nothing and reads nothing:
// the caller stores keys (as HMACs), finds candidates and acts on decisions.
//
// A weight is log2 of the odds that the two are one person: 0 is even, +10 a thousand to one. Each
// weighs three explanations: the same person, two strangers, and two of one family, who share
// surname, mother and address, and as twins the birth date. The third is what keeps twins apart
// without a rule of thumb; [Decide] adds the rules no weight may overturn.
//
// Fellegi and Sunter, A Theory for Record Linkage (1969); Winkler, Using the EM Algorithm for
// Weight Computation in the Fellegi–Sunter Model (2000).
package match
