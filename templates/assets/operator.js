// Updates the statistics of the operator page once per second with HTML that the server renders, until paused. Without this
// script the page is static.
const live = document.getElementById('live')
const state = document.getElementById('live-state')
const pause = document.getElementById('live-pause')
const reconnectMs = 10_000

if (live) {
  let source
  const showState = (text) => {
    if (state.textContent !== text) state.textContent = text
  }
  const start = () => {
    source = new EventSource('/ops/cache/live')
    source.addEventListener('open', () => showState(state.dataset.live))
    source.addEventListener('message', ({ data }) => {
      const changes = live.querySelector('.changes')
      const [top, hadFocus] = [changes?.scrollTop ?? 0, changes !== null && changes === document.activeElement]
      live.innerHTML = data
      const newChanges = live.querySelector('.changes')
      if (!newChanges) return
      newChanges.scrollTop = top
      if (hadFocus) newChanges.focus({ preventScroll: true })
    })
    source.addEventListener('replaced', () => {
      // Too many pages are open: newer ones have taken the place of this one.
      source.close()
      pause.ariaPressed = 'true'
      showState(state.dataset.notLive)
    })
    source.addEventListener('error', () => {
      showState(state.dataset.notLive)
      // Browsers do not reconnect after an error status: the session expired.
      const reconnect = () => pause.ariaPressed === 'false' && start()
      if (source.readyState === EventSource.CLOSED) setTimeout(reconnect, reconnectMs)
    })
  }
  pause.addEventListener('click', () => {
    const isPaused = pause.ariaPressed === 'false'
    pause.ariaPressed = String(isPaused)
    if (!isPaused) return start()
    source.close()
    showState('')
  })
  state.hidden = false
  pause.hidden = false
  start()
}
