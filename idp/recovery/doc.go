// Package recovery lets people back in who have lost their password: the pages of factor.Recoveries
// and of factor.Desk.
//
//	/recuperar ──► job ──► letter or text: code, link
//	  └► /recuperar/codigo ─┬──────────────► /recuperar/senha ──► session, and on with the visit
//	     /recuperar/link ───┼─► /recuperar/pergunta ──┘
//	     /recuperar/atendimento ──────────────────────┘
//
// Which page comes next is read from the recovery's row (next); each page sends elsewhere who is not
// there. The recovery's id travels as ?r= and is no secret: the code and the browser are. Whether
// there is such an account no page knows before a code has come back.
//
// What opens at the end is a session of flow, under what the recovery holds back; the notice that
// says so is on the account and where a level is missing (flow.Held).
package recovery
