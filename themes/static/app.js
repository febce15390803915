// Enhancement only: every page works without this file.
(function () {
  var d = document;
  var sum = d.querySelector('.sum');
  if (sum) sum.focus();
  d.querySelectorAll('[data-show]').forEach(function (b) {
    var input = d.getElementById(b.dataset.show), show = b.textContent;
    function set(on) {
      input.type = on ? 'text' : 'password';
      b.textContent = on ? b.dataset.hide : show;
      b.setAttribute('aria-pressed', on);
    }
    b.hidden = false;
    b.addEventListener('click', function () { set(input.type === 'password'); });
    input.form.addEventListener('submit', function () { set(false); });
  });
  var sent = false; // a double click is one answer: the second would find the first already used
  d.addEventListener('submit', function (e) {
    if (sent) e.preventDefault();
    sent = true;
  });
  addEventListener('pageshow', function () { sent = false; });
  var auto = d.querySelector('form[data-auto]');
  if (auto) HTMLFormElement.prototype.submit.call(auto);
})();
