// Forms that ask the device for its biometrics or PIN (WebAuthn Level 3 §5.1).
//
//   <form method="post" action="…" data-passkey="create" | "get"
//         data-options='{"publicKey":…}' or data-options-url="…">
//     <input type="hidden" name="credential">   the device's answer, as JSON; then the form is sent
//     <p data-passkey-off>                      why not, without script or without such a device: hidden here
//     <p data-passkey-problem role="alert" hidden>  shown when the device gave no answer
//     <button data-passkey-on hidden>           shown here
//
// Options by URL are fetched with POST when the button is used. A form whose other fields are not
// filled in is sent as it is, for the server to say so.
(function () {
  var d = document, c = navigator.credentials;
  if (!window.PublicKeyCredential || !c || !window.fetch) return;

  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), function (x) { return x.charCodeAt(0); });
  }
  function text(buffer) {
    return buffer && btoa(String.fromCharCode.apply(null, new Uint8Array(buffer)))
      .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function ready(o) { // the byte strings of §5.4 and §5.5
    o.challenge = bytes(o.challenge);
    if (o.user) o.user.id = bytes(o.user.id);
    (o.excludeCredentials || []).concat(o.allowCredentials || []).forEach(function (k) { k.id = bytes(k.id); });
    return o;
  }
  function answer(k) { // §5.1.8, for browsers without toJSON too
    var r = k.response, out = { clientDataJSON: text(r.clientDataJSON) };
    ['attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (name) {
      if (r[name]) out[name] = text(r[name]);
    });
    if (r.getTransports) out.transports = r.getTransports();
    return JSON.stringify({ id: k.id, rawId: text(k.rawId), type: k.type, response: out,
      authenticatorAttachment: k.authenticatorAttachment || undefined, clientExtensionResults: k.getClientExtensionResults() });
  }
  function options(form) {
    if (form.dataset.options) return Promise.resolve(JSON.parse(form.dataset.options));
    return fetch(form.dataset.optionsUrl, { method: 'POST', headers: { Accept: 'application/json' } })
      .then(function (r) { if (!r.ok) throw r.status; return r.json(); });
  }

  d.querySelectorAll('form[data-passkey]').forEach(function (form) {
    var problem = form.querySelector('[data-passkey-problem]'), busy = false;
    function show(name, on) { form.querySelectorAll('[data-passkey-' + name + ']').forEach(function (e) { e.hidden = !on; }); }
    show('off', false);
    show('on', true);
    form.addEventListener('submit', function (e) {
      if (!form.checkValidity()) return;
      e.preventDefault();
      e.stopPropagation(); // app.js counts what is sent
      if (busy) return;
      busy = true;
      problem.hidden = true;
      options(form).then(function (o) {
        return c[form.dataset.passkey]({ publicKey: ready(o.publicKey) });
      }).then(function (k) {
        form.elements.credential.value = answer(k);
        HTMLFormElement.prototype.submit.call(form);
      }).catch(function () {
        busy = false;
        problem.hidden = false;
      });
    });
  });
  addEventListener('pageshow', function (e) { if (e.persisted && d.querySelector('[data-options]')) location.reload(); }); // its challenge is used up
})();
