// Keeps the numbers of the operator page as they are just now: the server draws them, and sends them once a second. Whoever
// wants to read in peace stops it. Without this file the page is as it was when it was asked for.
const live = document.getElementById('live')
const state = document.getElementById('live-state')
const pause = document.getElementById('live-pause')

if (live) {
  let source
  const tell = (text) => {
    if (state.textContent !== text) state.textContent = text
  }
  const start = () => {
    source = new EventSource('/ops/cache/live')
    source.addEventListener('open', () => tell(state.dataset.live))
    source.addEventListener('message', ({ data }) => {
      const log = live.querySelector('.changes')
      const [top, hadFocus] = [log?.scrollTop ?? 0, log !== null && log === document.activeElement]
      live.innerHTML = data
      const newLog = live.querySelector('.changes')
      if (!newLog) return
      newLog.scrollTop = top
      if (hadFocus) newLog.focus({ preventScroll: true })
    })
    source.addEventListener('error', () => {
      tell(state.dataset.notLive)
      // A refusal is not tried again by the browser: a session may have ended, or all places be taken.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => pause.ariaPressed === 'false' && start(), 10_000)
    })
  }
  pause.addEventListener('click', () => {
    const isPaused = pause.ariaPressed === 'false'
    pause.ariaPressed = String(isPaused)
    if (!isPaused) return start()
    source.close()
    tell('')
  })
  state.hidden = false
  pause.hidden = false
  start()
}
