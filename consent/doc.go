// Package consent decides what a service may see of a person.
//
// It owns the append-only table of decisions, one row each time a citizen answers the consent
// page or revokes a service. The latest row of a person and service is the state: what is allowed
// and what has been shown so far, so the next sign-in asks only for what is new. [Need] is the
// pure comparison; pages and tokens belong to idp.
package consent
