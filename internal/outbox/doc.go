// Package outbox catches the mail of a development city and shows it in a browser.
//
//	loginunico demo ──SMTP──► outbox ──HTTP──► a developer, or a test looking for a code
//
// The last 200 letters are kept, in memory only. Routes of Handler:
//
//	GET  /                   all letters, newest first
//	GET  /messages/{id}      one letter
//	GET  /api/messages?to=   the same as JSON, newest first
//	POST /clear              forget them all
//
// Both listeners are for this machine alone; production refuses to start with an outbox.
package outbox
