// An SMPP server on npm's smpp. It reads one JSON object a line on stdin and writes one a line on
// stdout:
//
//   in   {key, cert}               first line; both for TLS, none for plain
//   in   {next: {…}}               what to do with the next submit_sm, once each, in order:
//          {status: 0x58}            answer with this command_status
//          {silent: true}            do not answer
//          {close: true}             close the connection instead of answering
//          {id: "1f"}                answer with this message_id
//          {early: {…}}              send this receipt before the answer
//   in   {receipt: {…}}            a deliver_sm to the last session bound, as the library takes it
//   in   {unbind: true} {drop: true} {refuse: true|false}   the last session; later binds
//   out  {port} {bind} {submit} {answered} {enquire} {unbound} {closed}
import readline from 'node:readline';
import smpp from 'smpp';

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const next = [];
let session, refuse = false, count = 0;

function deliver(to, receipt) {
  const { text, id, state, payload, ...fields } = receipt;
  const pdu = { esm_class: 4, source_addr: '5511987654321', destination_addr: 'CIDADE', ...fields };
  if (text !== undefined) pdu.short_message = { message: Buffer.from(text, 'latin1') };
  if (payload !== undefined) pdu.message_payload = { message: Buffer.from(payload, 'latin1') };
  if (id !== undefined) pdu.receipted_message_id = id;
  if (state !== undefined) pdu.message_state = state;
  to.deliver_sm(pdu, (resp) => say({ answered: { status: resp.command_status } }));
}

function submit(from, pdu) {
  const raw = pdu.short_message.message;
  const plan = next.shift() ?? {};
  say({ submit: { from: pdu.source_addr, ton: pdu.source_addr_ton, to: pdu.destination_addr, coding: pdu.data_coding,
    text: Buffer.isBuffer(raw) ? raw.toString('hex') : raw, validity: Math.round((pdu.validity_period - Date.now()) / 1000), receipt: pdu.registered_delivery } });
  if (plan.early) deliver(from, plan.early);
  if (plan.silent) return;
  if (plan.close) return from.destroy();
  from.send(pdu.response(plan.status ? { command_status: plan.status } : { message_id: plan.id ?? `id-${++count}` }));
}

function accept(s) {
  s.on('error', () => {});
  s.on('close', () => say({ closed: {} }));
  s.on('bind_transceiver', (pdu) => {
    const good = !refuse && pdu.system_id === 'cidade' && pdu.password === 'segredo';
    s.send(pdu.response(good ? {} : { command_status: smpp.ESME_RBINDFAIL }));
    if (!good) return s.close();
    session = s;
    say({ bind: { version: pdu.interface_version, type: pdu.system_type } });
  });
  s.on('submit_sm', (pdu) => submit(s, pdu));
  s.on('enquire_link', (pdu) => { s.send(pdu.response()); say({ enquire: {} }); });
  s.on('unbind', (pdu) => { s.send(pdu.response()); say({ unbound: {} }); s.close(); });
}

const lines = readline.createInterface({ input: process.stdin });
lines.once('line', (first) => {
  const { key, cert } = JSON.parse(first);
  const server = smpp.createServer(key ? { key, cert } : {}, accept);
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
  lines.on('line', (line) => {
    const told = JSON.parse(line);
    if (told.next) next.push(told.next);
    if (told.receipt) deliver(session, told.receipt);
    if (told.unbind) session.unbind();
    if (told.drop) session.destroy();
    if (told.refuse !== undefined) refuse = told.refuse;
    say({ done: {} });
  });
});
lines.on('close', () => process.exit(0));
