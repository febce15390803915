// Package account is the citizen's own corner: meus dados, segurança, aplicações permitidas.
//
//	handle.go           /conta, /conta/aplicacoes, /conta/sair; /conta/confirmar for those who have recovered, POST
//	                    /conta/cpf for visitors
//	handle_level.go     /conta/nivel: why this level, and what would raise it
//	handle_overview.go  /conta/seguranca: how they sign in, where, what happened; ending sessions
//	handle_security.go  the forms below it: GET shows one, POST does it
//	handle_notme.go     /n/TOKEN, the link of a notice: ends all sessions, begins a recovery
//	form*.go            each form: its page, its checks, its change
//	change.go           the one transaction that every change is made in
//
// Who is not signed in is taken through idp/flow and comes back. Revoking a service records the
// decision and ends every token of it in the same transaction. A change of a factor is made under
// the lock of all of them, in a session that is live, fresh, and as strong as the strongest the person
// has, and is told to every address they had before:
//
//	POST ─► check ─► ┌ Guard ─► session held ─► EnrolledOf ─► MayChange ─► change ─► Announce ┐ ─► page
//	                 └ errStale: sign in anew, and come back to the form                       ┘
package account
