// What the server cannot do when only one panel is swapped: mark the chosen seller in the list beside it, and name the
// window. Everything else works without this file.
const sync = () => {
  const chosen = document.querySelector('#events-state [name=seller_id]')?.value
  for (const row of document.querySelectorAll('[data-seller]')) {
    if (row.dataset.seller === chosen) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
  const panel = document.querySelector('#events[data-title]') ?? document.querySelector('[data-title]')
  if (panel) document.title = `${panel.dataset.title} · Vitrine`
}
document.addEventListener('htmx:afterSettle', sync)
