// What the server cannot do when only one panel is swapped: mark the chosen seller in the list beside it, name the window,
// bring the new panel into view, and say that there was no connection. Everything else works without this file.
const panelOf = (event) => document.getElementById(event.detail.target?.id)

const markChosen = () => {
  const chosen = document.querySelector('#events-state [name=seller_id]')?.value
  for (const row of document.querySelectorAll('[data-seller]')) {
    if (row.dataset.seller === chosen) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
  const titled = document.querySelector('#events[data-title]') ?? document.querySelector('[data-title]')
  if (titled) document.title = `${titled.dataset.title} · Vitrine`
}

document.addEventListener('htmx:afterSettle', (event) => {
  markChosen()
  const panel = panelOf(event)
  const heading = panel?.querySelector('[tabindex="-1"]')
  if (!heading) return
  heading.focus({ preventScroll: true })
  const { top, bottom } = heading.getBoundingClientRect()
  if (top < 0 || bottom > window.innerHeight) panel.scrollIntoView()
})

document.addEventListener('htmx:sendError', (event) => {
  const panel = panelOf(event)
  if (!panel || panel.querySelector('.offline')) return
  const notice = document.createElement('p')
  notice.className = 'notice offline'
  notice.setAttribute('role', 'alert')
  notice.textContent = 'No connection. Please try again.'
  panel.prepend(notice)
})
