// A process that closes as set by environment variables: CLOSE is `ends`, `fails` or `never`, FAULT is `throws` or `rejects`.
// With SECOND it sends itself that signal while it closes, AFTER_MS after the first one on a fake clock.
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { closeOnSignals } from '../../dist/process/shutdown.js'

const { CLOSE, FAULT, SECOND, AFTER_MS = '0', DEADLINE_MS = '60000' } = process.env
let now = 0
closeOnSignals({
  deadlineMs: Number(DEADLINE_MS),
  monotonicNow: () => now,
  async close(reason) {
    console.log(`closing: ${'error' in reason ? reason.error.message : reason.signal}`)
    if (SECOND !== undefined) {
      now += Number(AFTER_MS)
      const received = once(process, SECOND)
      process.kill(process.pid, SECOND)
      await received
      await nextTurn()
    }
    if (CLOSE === 'fails') throw new Error('cannot close')
    if (CLOSE === 'never') await new Promise(() => undefined)
  },
})
setInterval(() => undefined, 60_000)
if (FAULT === 'throws')
  setImmediate(() => {
    throw new Error('thrown')
  })
if (FAULT === 'rejects') Promise.reject(new Error('rejected'))
console.log('ready')
