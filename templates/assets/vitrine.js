// What the server cannot do when only a part of the page is swapped: mark the chosen seller in the list beside it, name the
// window, say what came of it, keep the focus where it is of use, and keep addresses short and history useful. Everything
// works without this file.
const panelOf = ({ detail }) => document.getElementById(detail.target?.id)?.closest('.panel')
const isForm = ({ detail }) => detail.requestConfig?.elt.matches('form')

const chosenSeller = () => document.querySelector('#events-state [name=seller_id]')?.value

const markChosen = () => {
  const chosen = chosenSeller()
  for (const row of document.querySelectorAll('[data-seller]')) {
    if (row.dataset.seller === chosen) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
  const titled = document.querySelector('#events [data-title]') ?? document.querySelector('[data-title]')
  if (titled) document.title = `${titled.dataset.title} · Vitrine`
}

// "Tomorrow" is another day after midnight, in a page that stays open as well.
const forgetDays = () => {
  const events = document.querySelector('#events[data-days-until]')
  if (!events) return
  const remainingMs = Date.parse(events.dataset.daysUntil) - Date.now()
  if (remainingMs > 0) return void setTimeout(forgetDays, remainingMs)
  for (const when of events.querySelectorAll('.when')) when.remove()
}
forgetDays()
document.addEventListener('visibilitychange', forgetDays)
document.addEventListener('htmx:historyRestore', forgetDays)

document.addEventListener('htmx:configRequest', ({ detail: { parameters } }) => {
  for (const name of Object.keys(parameters)) if (String(parameters[name]).trim() === '') delete parameters[name]
})

// A search is one step of the history, however many letters it takes.
document.addEventListener('htmx:beforeRequest', (event) => {
  panelOf(event)?.setAttribute('aria-busy', 'true')
  event.detail.elt.closest('.row')?.classList.add('is-asked') // where the panel itself may be out of sight
  if (!isForm(event)) return
  const { etc, requestConfig } = event.detail
  const filters = [...requestConfig.elt.querySelectorAll('[type=search]')].map(({ name }) => name)
  const asked = new URLSearchParams(window.location.search)
  const isRefined = window.location.pathname === requestConfig.path && filters.some((name) => asked.get(name))
  etc[isRefined ? 'replace' : 'push'] = 'true'
})

// What the other panel shows may have changed while this one was asked for: the address tells of both as they are now.
document.addEventListener('htmx:beforeHistoryUpdate', ({ detail: { history } }) => {
  if (!history.path) return
  const address = new URL(history.path, window.location.href)
  const isOfEvents = address.pathname.endsWith('/events')
  const beside = document.querySelectorAll(isOfEvents ? '#sellers-state input' : '#events-state input')
  const isTold = (name) => (isOfEvents ? name.startsWith('list_') : name === 'seller_id')
  const told = [...address.searchParams].filter(([name]) => isTold(name))
  const isTrue =
    told.length === beside.length && [...beside].every(({ name, value }) => address.searchParams.get(name) === value)
  if (isTrue) return
  for (const [name] of told) address.searchParams.delete(name)
  for (const { name, value } of beside) address.searchParams.set(name, value)
  history.path = `${address.pathname}${address.search}`
})

document.addEventListener('htmx:afterRequest', (event) => {
  panelOf(event)?.removeAttribute('aria-busy')
  event.detail.elt.closest('.row')?.classList.remove('is-asked')
})

document.addEventListener('htmx:afterSettle', (event) => {
  markChosen()
  forgetDays()
  for (const notice of document.querySelectorAll('.offline')) notice.remove()
  const panel = panelOf(event)
  if (!panel) return
  document.getElementById('said').textContent = panel.querySelector('[data-said]')?.dataset.said ?? ''
  if (isForm(event)) return // whoever types goes on typing
  const heading = panel.querySelector('[tabindex="-1"]')
  heading.focus({ preventScroll: true })
  const { top, bottom } = heading.getBoundingClientRect()
  if (top < 0 || bottom > window.innerHeight) panel.scrollIntoView()
})

document.addEventListener('htmx:sendError', (event) => {
  const panel = panelOf(event)
  if (!panel || panel.querySelector('.offline')) return
  panel.prepend(document.getElementById('offline').content.cloneNode(true))
})

// Back from the events of a seller is back to where they were opened.
let leftSeller
document.addEventListener('htmx:historyCacheMiss', () => {
  leftSeller = chosenSeller()
})
document.addEventListener('htmx:historyRestore', () => {
  if (leftSeller === undefined || chosenSeller() !== undefined) return
  document.querySelector(`[data-seller="${CSS.escape(leftSeller)}"]`)?.focus()
})

// The page that history leads to could not be had that way: the browser shows what the server says of it.
document.addEventListener('htmx:historyCacheMissLoadError', () => window.location.reload())

document.addEventListener('keydown', ({ key, target }) => {
  if (key !== 'Escape' || target.value || !target.closest('#events')) return
  const row = document.querySelector('#sellers [aria-current="true"][data-seller]')
  ;(row ?? document.getElementById('sellers-heading'))?.focus()
})
