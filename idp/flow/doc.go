// Package flow takes a citizen from a service's authorization request to a code for that service.
//
// What happened is kept as facts ([Interaction]: who typed which CPF, which session opened, what
// was confirmed), never as "the current page". After every fact one pure function, [Next], says
// what is still missing; the handler of that step shows its page, and the last step issues.
//
//	GET|POST /oauth/authorize ──► Next ──► /entrar ─► /entrar/senha ─► /cadastro/dados ─► /consentimento ──► code
//	                               │            └─► /cadastro ─► /cadastro/codigo ─┘
//	                               └─ nothing missing: the code at once, no interaction is written
//
// Until a fact of somebody is known, the interaction travels sealed in its browser's cookie
// (handle_carried.go); then it is a row.
//
//	handle_authorize   the request: validated, answered or begun
//	handle_identify    CPF, choice of account, cancel
//	handle_password    password, and the mail code of a busy CPF
//	handle_register    a new account and its mail code
//	handle_visitor…    people without a CPF: a number, its code, and whose it is
//	handle_cpf, join   a visitor signs in by the CPF they have by now
//	handle_staff       a service for employees, and somebody who is none
//	handle_profile     data this service needs and the city lacks (cadastro dinâmico)
//	handle_consent     the citizen's decision
//
// Every handler checks that the browser's cookie, the client and the person still match.
package flow
