// Package mail sends plain-text messages to citizens.
//
// It owns the carrier: one SMTP submission per message, over TLS unless the server is this very
// machine, and errors that tell a job whether to try again without telling a log who was written
// to. What to write and when is the caller's: a job with the message's ID, sent after the
// transaction that wanted it.
//
// Several carriers answer to Sender: SMTP here, and in development the same SMTP towards
// package outbox.
package mail
