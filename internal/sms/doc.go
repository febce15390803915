// Package sms sends texts to citizens' phones: codes, and word of changes to an account.
//
//	flow ──Allow, Send──► sms_message + job ──► Carrier ──► phone
//	                            ▲                  │
//	                            └──── Hear ◄── receipts, webhook
//
// It owns
//
//   - the carriers behind one interface: SMPP 3.4, a provider's HTTP API described by a file, and, in
//     development, package outbox;
//   - the trail of each message (sms_message) from request to delivery, and its job. A message is sent
//     at most once for one request, whatever is cut short in between; see Service.deliver;
//   - the caps against pumping (sms_count), and the metrics for alarms;
//   - what a text may be: the GSM 7 bit alphabet, one segment, and a code bound to its site.
//
// What a text says, when, and whether its code is right is the caller's. Routes: Webhook, which the
// server mounts.
package sms
