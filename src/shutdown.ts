import { inspect } from 'node:util'

/** Why the process closes: a signal, or an error that nothing caught. */
export type CloseReason = { readonly signal: NodeJS.Signals } | { readonly error: unknown }

export interface ShutdownOptions {
  /** Closes what the process runs: requests in flight may finish. */
  readonly close: (reason: CloseReason) => Promise<void>
  /** Milliseconds for closing; then the process ends with exit code 1. */
  readonly deadlineMs: number
  /** A monotonic clock, in milliseconds. Default `performance.now`. */
  readonly monotonicNow?: () => number
}

const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGTERM'] as const
const errorEvents = ['uncaughtException', 'unhandledRejection'] as const
/** npm forwards the signal that a Ctrl-C has sent to the process group already: both mean one order. */
const sameSignalMs = 1_000

/**
 * Closes on the first signal, then exits with 0, and on the first error that nothing caught, then exits with 1. A signal
 * within a second of the first is the same one; a later one, and an error while closing, end the process at once with 1.
 */
export function closeOnSignals({ close, deadlineMs, monotonicNow = () => performance.now() }: ShutdownOptions): void {
  let beganAt: number | undefined

  for (const signal of signals) {
    process.on(signal, () => {
      if (beganAt === undefined) void run({ signal })
      else if (monotonicNow() - beganAt >= sameSignalMs) process.exit(1)
    })
  }
  for (const event of errorEvents) {
    process.on(event, (error: unknown) => {
      if (beganAt === undefined) void run({ error })
      else exitWith(error)
    })
  }

  async function run(reason: CloseReason): Promise<void> {
    beganAt = monotonicNow()
    setTimeout(() => process.exit(1), deadlineMs)
    try {
      await close(reason)
    } catch (error) {
      exitWith(error)
    }
    process.exit('error' in reason ? 1 : 0)
  }
}

/** The log may be closed already. */
function exitWith(error: unknown): never {
  process.stderr.write(`vitrine: closing failed: ${inspect(error)}\n`)
  process.exit(1)
}
