// Package evidence follows the life of what a trust level rests on.
//
//	Revoker  takes evidence away: the one function for a desk, a command, a list of revoked certificates
//	Keeper   notices that a level is another than was told, and tells: the citizen, the audit, services
//
// The level itself is never kept: it is computed from the evidence at the moment it is asked
// ([trust.Assess]), so that it falls the instant its evidence ends. What is kept, in level_told, is
// which level those concerned were told, and when to look again. A trigger marks a person in the
// transaction that writes or revokes evidence, whoever does it, and [Look], every minute and after
// each revocation, settles those who are due, each in one transaction that holds their row: of many
// processes one tells, and after days of standing still each change is told once, as it is by then.
//
// docs/trust.md says the same for a city.
package evidence
