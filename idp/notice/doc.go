// Package notice writes what people are told of their ways in and back, as a letter or as a text
// message: codes and links, what has changed, that an account has ended.
//
//	Courier    a factor.Courier: the code of a new address, a recovery, a visitor's sign-in
//	Announcer  a factor.Announcer: what has changed, with the link "não fui eu"
//	Displaced  for factor.NewDisplacer: somebody has proven the CPF of this account
//
// The words are those of themes (mail.*, sms.*, event.*), in the reader's language. Everything is
// enqueued in the caller's transaction: what is rolled back is told to nobody. Where the city sends
// no text messages, nobody is asked for a phone, and changes are told by letter alone.
//
//	post := notices.Courier(notice.Asker{Lang: lang, Address: address}, notice.Confirm)
//	id, err := channels.Add(ctx, tx, person, factor.PhoneChannel, number, post)
package notice
