import type { FastifyBaseLogger } from 'fastify'
import type { Cache } from '../cache/index.js'
import type { BackgroundRefreshes } from '../responses/background-refresh.js'
import type { Backoff } from '../responses/backoff.js'
import type { InFlightRequests } from '../responses/collapsing.js'
import type { Counters } from '../responses/counters.js'
import type { ResponseStore } from '../responses/response-store.js'
import type { Exchanges } from './exchange.js'
import type { Invalidations } from './invalidations.js'
import type { ResolvedEdgeOptions } from './options.js'
import type { SharedResponses } from './shared-responses.js'

/** What all routes of one registration have in common. */
export interface EdgeParts {
  /** Whether the application closes: then no connection is kept for later. */
  isClosing: boolean
  readonly options: ResolvedEdgeOptions
  readonly resources: ResponseStore
  readonly flights: InFlightRequests
  readonly pauses: Backoff
  readonly invalidations: Invalidations
  readonly exchanges: Exchanges
  readonly refreshes: BackgroundRefreshes
  readonly tally: Counters
  readonly log: FastifyBaseLogger
  /** Known once the application is ready: it may be registered later than we are. */
  cache: Cache | undefined
  shared: SharedResponses | undefined
}
