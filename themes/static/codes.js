// Buttons of the page of recovery codes; without script its text can be selected and printed.
(function () {
  var d = document, copy = d.querySelector('[data-copy]'), print = d.querySelector('[data-print]');
  print.hidden = false;
  print.addEventListener('click', function () { window.print(); });
  if (!navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener('click', function () {
    var lines = [];
    d.querySelectorAll('#' + copy.dataset.copy + ' code').forEach(function (e) { lines.push(e.textContent); });
    navigator.clipboard.writeText(lines.join('\n')).then(function () { copy.textContent = copy.dataset.done; });
  });
})();
