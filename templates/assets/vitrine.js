// What the server cannot do when htmx swaps one panel: mark the selected seller in the list, set the document title, announce
// the result, manage focus, and keep URLs and history short. The pages work without this script.
const panelOf = ({ detail }) => document.getElementById(detail.target?.id)?.closest('.panel')
const isForm = ({ detail }) => detail.requestConfig?.elt.matches('form')

const selectedSeller = () => document.querySelector('#events-state [name=seller_id]')?.value

const markSelected = () => {
  const selected = selectedSeller()
  for (const row of document.querySelectorAll('[data-seller]')) {
    if (row.dataset.seller === selected) row.setAttribute('aria-current', 'true')
    else row.removeAttribute('aria-current')
  }
  const panel = document.querySelector('#events [data-title]') ?? document.querySelector('[data-title]')
  if (panel) document.title = `${panel.dataset.title} · Vitrine`
}

// "Tomorrow" is wrong after midnight, in a page that stays open.
const removeExpiredDays = () => {
  const events = document.querySelector('#events[data-relative-days-until]')
  if (!events) return
  const remainingMs = Date.parse(events.dataset.relativeDaysUntil) - Date.now()
  if (remainingMs > 0) return void setTimeout(removeExpiredDays, remainingMs)
  for (const day of events.querySelectorAll('.relative-day')) day.remove()
}
removeExpiredDays()
document.addEventListener('visibilitychange', removeExpiredDays)
document.addEventListener('htmx:historyRestore', removeExpiredDays)

document.addEventListener('htmx:configRequest', ({ detail: { parameters } }) => {
  for (const name of Object.keys(parameters)) if (String(parameters[name]).trim() === '') delete parameters[name]
})

// A search is one history entry, however many letters are typed.
document.addEventListener('htmx:beforeRequest', (event) => {
  panelOf(event)?.setAttribute('aria-busy', 'true')
  event.detail.elt.closest('.row')?.classList.add('is-loading') // the panel itself may be out of view
  if (!isForm(event)) return
  const { etc, requestConfig } = event.detail
  const filters = [...requestConfig.elt.querySelectorAll('[type=search]')].map(({ name }) => name)
  const params = new URLSearchParams(window.location.search)
  const isRefined = window.location.pathname === requestConfig.path && filters.some((name) => params.get(name))
  etc[isRefined ? 'replace' : 'push'] = 'true'
})

// The other panel may have changed during the request: put its current state into the URL.
document.addEventListener('htmx:beforeHistoryUpdate', ({ detail: { history } }) => {
  if (!history.path) return
  const url = new URL(history.path, window.location.href)
  const isEventsUrl = url.pathname.endsWith('/events')
  const inputs = document.querySelectorAll(isEventsUrl ? '#sellers-state input' : '#events-state input')
  const isState = (name) => (isEventsUrl ? name.startsWith('list_') : name === 'seller_id')
  const state = [...url.searchParams].filter(([name]) => isState(name))
  const isCurrent =
    state.length === inputs.length && [...inputs].every(({ name, value }) => url.searchParams.get(name) === value)
  if (isCurrent) return
  for (const [name] of state) url.searchParams.delete(name)
  for (const { name, value } of inputs) url.searchParams.set(name, value)
  history.path = `${url.pathname}${url.search}`
})

document.addEventListener('htmx:afterRequest', (event) => {
  panelOf(event)?.removeAttribute('aria-busy')
  event.detail.elt.closest('.row')?.classList.remove('is-loading')
})

document.addEventListener('htmx:afterSettle', (event) => {
  markSelected()
  removeExpiredDays()
  for (const notice of document.querySelectorAll('.offline')) notice.remove()
  const panel = panelOf(event)
  if (!panel) return
  document.getElementById('live-message').textContent =
    panel.querySelector('[data-live-message]')?.dataset.liveMessage ?? ''
  if (isForm(event)) return // keep the focus in the input
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

// Going back from the events of a seller focuses its row.
let previousSeller
document.addEventListener('htmx:historyCacheMiss', () => {
  previousSeller = selectedSeller()
})
document.addEventListener('htmx:historyRestore', () => {
  if (previousSeller === undefined || selectedSeller() !== undefined) return
  document.querySelector(`[data-seller="${CSS.escape(previousSeller)}"]`)?.focus()
})

// htmx failed to load a page of the history: a reload shows the server's response.
document.addEventListener('htmx:historyCacheMissLoadError', () => window.location.reload())

document.addEventListener('keydown', ({ key, target }) => {
  if (key !== 'Escape' || target.value || !target.closest('#events')) return
  const row = document.querySelector('#sellers [aria-current="true"][data-seller]')
  ;(row ?? document.getElementById('sellers-heading'))?.focus()
})
