import type { CacheClock } from '../clock.js'
import type { ClientTracking } from './client-tracking.js'
import type { Commands, RedisCommands } from './commands.js'
import type { KeyNames } from './key-names.js'

/** What the parts of the store share. */
export interface StoreDeps {
  readonly client: RedisCommands
  readonly clock: CacheClock
  readonly commands: Commands
  readonly names: KeyNames
  /** `undefined` if the client cannot receive invalidations. */
  readonly tracking: ClientTracking | undefined
  /** Called when a key of the cache's own bookkeeping contained something else and was replaced. */
  readonly onCorruptKey: (name: string) => void
}

/** The latest trusted stamp, as an argument of scripts; any stamp while the time of the server is unknown. */
export function latestStamp(clock: CacheClock): string {
  return String(clock.isSynced ? clock.maxTrustedStamp : Number.MAX_SAFE_INTEGER)
}
