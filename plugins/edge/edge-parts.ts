import type { FastifyBaseLogger } from 'fastify'
import type { Cache } from '../cache/index.js'
import type { Refreshes } from '../responses/background-refresh.js'
import type { Pauses } from '../responses/backoff.js'
import type { Flights } from '../responses/collapsing.js'
import type { Tally } from '../responses/counters.js'
import type { Resources } from '../responses/response-store.js'
import type { Exchanges } from './exchange.js'
import type { Invalidations } from './invalidations.js'
import type { ResolvedEdgeOptions } from './options.js'
import type { SharedResponses } from './shared-responses.js'

/** What all routes of one registration have in common. */
export interface EdgeParts {
  /** Whether the application closes: then no connection is kept for later. */
  isClosing: boolean
  readonly options: ResolvedEdgeOptions
  readonly resources: Resources
  readonly flights: Flights
  readonly pauses: Pauses
  readonly invalidations: Invalidations
  readonly exchanges: Exchanges
  readonly refreshes: Refreshes
  readonly tally: Tally
  readonly log: FastifyBaseLogger
  /** Known once the application is ready: it may be registered later than we are. */
  cache: Cache | undefined
  shared: SharedResponses | undefined
}
