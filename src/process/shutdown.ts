import { inspect } from 'node:util'

/** Milliseconds after the signal at which each step is forced, so that the process exits within 10 s. */
export const shutdownTimes = { abortUpstreamMs: 7_000, closeConnectionsMs: 8_000, exitMs: 9_500 } as const

/** Why the process exits: a signal, or an uncaught error. */
export type CloseReason = { readonly signal: NodeJS.Signals } | { readonly error: unknown }

export interface ShutdownOptions {
  /** Closes the servers of the process. Requests in flight may finish. */
  readonly close: (reason: CloseReason) => Promise<void>
  /** Milliseconds until the process exits with 1. */
  readonly deadlineMs: number
  /** A monotonic clock, in milliseconds. Default `performance.now`. */
  readonly monotonicNow?: () => number
}

const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGTERM'] as const
const errorEvents = ['uncaughtException', 'unhandledRejection'] as const
/** npm forwards a signal that Ctrl-C has already sent to the process group. */
const sameSignalMs = 1_000

/**
 * On the first signal closes and exits with 0; on the first uncaught error closes and exits with 1. Another signal within a
 * second counts as the same one. A later signal, or an error while closing, exits with 1 at once.
 */
export function closeOnSignals({ close, deadlineMs, monotonicNow = () => performance.now() }: ShutdownOptions): void {
  let startedAt: number | undefined

  for (const signal of signals) {
    process.on(signal, () => {
      if (startedAt === undefined) void run({ signal })
      else if (monotonicNow() - startedAt >= sameSignalMs) process.exit(1)
    })
  }
  for (const event of errorEvents) {
    process.on(event, (error: unknown) => {
      if (startedAt === undefined) void run({ error })
      else exitWith(error)
    })
  }

  async function run(reason: CloseReason): Promise<void> {
    startedAt = monotonicNow()
    setTimeout(() => process.exit(1), deadlineMs)
    try {
      await close(reason)
    } catch (error) {
      exitWith(error)
    }
    process.exit('error' in reason ? 1 : 0)
  }
}

/** Writes to stderr: the log may already be closed. */
function exitWith(error: unknown): never {
  process.stderr.write(`vitrine: shutdown failed: ${inspect(error)}\n`)
  process.exit(1)
}
