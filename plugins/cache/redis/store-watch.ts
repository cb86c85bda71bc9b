import type { ServerBreakers } from '../../redis/server-breakers.js'
import { stampDigits } from '../entry/codec.js'
import type { StoreWatcher } from '../store.js'
import type { TrackingListener } from './client-tracking.js'
import * as scripts from './scripts.js'
import type { StoreDeps } from './store-deps.js'

interface StoreWatchDeps extends StoreDeps {
  readonly breakers: ServerBreakers
  /** Called once if a server does not support `CLIENT TRACKING`. */
  readonly onTrackingUnsupported: (error: unknown) => void
}

const syncEveryMs = 60_000

/** Notifies a watcher of changes in Redis, of open circuits and of corrections of the clock, until it is closed. */
export class StoreWatch {
  readonly #deps: StoreWatchDeps
  readonly #watcher: StoreWatcher
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(deps: StoreWatchDeps, watcher: StoreWatcher) {
    this.#deps = deps
    this.#watcher = watcher
    const { breakers, tracking } = deps
    breakers.onChange((isOpen) => {
      watcher.circuitChanged(isOpen)
      if (!isOpen) void this.#syncClock().finally(() => tracking?.checkNow())
    })
    tracking?.start(this.#trackingListener())
    this.#keepClockSynced()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#deps.tracking?.close()
  }

  #keepClockSynced(): void {
    void this.#syncClock().finally(() => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#keepClockSynced(), syncEveryMs).unref()
    })
  }

  async #syncClock(): Promise<void> {
    const { clock, commands, names } = this.#deps
    const askedAt = clock.now()
    const time = await commands.read(scripts.readTime, names.purges, []).catch(() => undefined)
    if (!Array.isArray(time)) return
    const serverMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000)
    const movedMicroseconds = clock.sync({ serverMs, askedAt, answeredAt: clock.now() })
    if (movedMicroseconds !== 0) this.#watcher.clockAdjusted(movedMicroseconds)
  }

  #trackingListener(): TrackingListener {
    const watcher = this.#watcher
    return {
      changed: (wireKeys) => this.#keysChanged(wireKeys),
      published: (message) => this.#keyRemoved(message),
      flushed: () => watcher.flushed(),
      verifiedChanged: (isVerified) => watcher.trackingChanged(isVerified),
      unsupported: this.#deps.onTrackingUnsupported,
    }
  }

  #keysChanged(wireKeys: readonly string[]): void {
    const keys: string[] = []
    for (const wireKey of wireKeys) {
      const named = this.#deps.names.parse(wireKey)
      if (named.type === 'purges') this.#watcher.purged()
      else if (named.type === 'lease') this.#watcher.leaseChanged(named.key)
      else keys.push(named.key)
    }
    if (keys.length > 0) this.#watcher.changed(keys)
  }

  /** A hard purge was published: its stamp, then the key. */
  #keyRemoved(message: string): void {
    const { clock, names } = this.#deps
    const stamp = Number(message.slice(0, stampDigits))
    const named = names.parse(message.slice(stampDigits))
    if (stamp <= clock.maxTrustedStamp && named.type === 'entry') this.#watcher.removed(named.key, stamp)
  }
}
