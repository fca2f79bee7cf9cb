// Filters what is on the page already. Without it everything is shown.
const form = document.querySelector('form');
const rows = [...document.querySelectorAll('details')];
const apply = () => {
  const text = form.elements.text.value.trim().toLowerCase();
  const on = (name) => new Set([...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
  const results = on('result'), levels = on('level');
  let shown = 0;
  for (const row of rows) {
    const fits = results.has(row.dataset.result) && row.dataset.levels.split(' ').some((level) => levels.has(level)) && row.textContent.toLowerCase().includes(text);
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const part of document.querySelectorAll('section')) part.hidden = !part.querySelector('details:not([hidden])');
  document.querySelector('#shown').textContent = `${shown} of ${rows.length}`;
};
form.hidden = false;
form.addEventListener('input', apply);
form.addEventListener('submit', (event) => event.preventDefault());
apply();
