// An SMTP server on npm's smtp-server, which reads letters with npm's mailparser. It takes mail only
// after STARTTLS and a password. It reads one JSON object a line on stdin and writes one a line on
// stdout:
//
//   in   {key, cert, user, password}   first line
//   in   {refuse: 550}                 the code to the next RCPT TO
//   out  {port} {done} {letter} {error}
import readline from 'node:readline';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
let refuse = 0;

const lines = readline.createInterface({ input: process.stdin });
lines.once('line', (first) => {
  const { key, cert, user, password } = JSON.parse(first);
  const server = new SMTPServer({
    key, cert, disableReverseLookup: true, logger: false,
    onAuth(auth, session, done) {
      if (auth.username !== user || auth.password !== password) return done(new Error('wrong password'));
      done(null, { user });
    },
    onRcptTo(address, session, done) {
      const code = refuse;
      refuse = 0;
      if (code) return done(Object.assign(new Error(`${address.address} is not known here`), { responseCode: code }));
      done();
    },
    async onData(stream, session, done) {
      const m = await simpleParser(stream);
      say({ letter: {
        secure: session.secure, user: session.user, envelope: session.envelope.rcptTo.map((to) => to.address),
        from: m.from.text, to: m.to.text, subject: m.subject, text: m.text, id: m.messageId,
        auto: m.headers.get('auto-submitted'), html: Boolean(m.html), attachments: m.attachments.length } });
      done();
    },
  });
  server.on('error', (e) => say({ error: { message: e.message } }));
  server.listen(0, '127.0.0.1', () => say({ port: server.server.address().port }));
  lines.on('line', (line) => {
    refuse = JSON.parse(line).refuse ?? refuse;
    say({ done: {} });
  });
});
lines.on('close', () => process.exit(0));
