// Package outbox catches the mail and the texts of a development city and shows them in a browser.
//
//	loginunico demo ──SMTP, Send──► outbox ──HTTP──► a developer, or a test looking for a code
//
// An Outbox is the development carrier of package sms. The last 200 letters and texts are kept, in
// memory only. Routes of Handler:
//
//	GET  /                   all of them, newest first
//	GET  /messages/{id}      one of them
//	GET  /api/messages?to=   the same as JSON, newest first
//	POST /clear              forget them all
//
// Both listeners are for this machine alone; production refuses to start with an outbox.
package outbox
