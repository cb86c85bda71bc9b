import type { Dependencies } from '../cache/index.js'
import type { HandlerResponse } from './handler-response.js'
import type { RequestContext } from './request-context.js'
import type { StorageDecision, StoragePlan } from './storage-decision.js'
import type { StoredResponse } from './stored-response.js'

/** What is known of a response when it is decided whether to store it. */
export interface ResponseContent {
  /** What was read of the data cache so far. */
  readonly dependencies: Dependencies | undefined
  readonly bodyBytes: number
  /** Tags from an earlier decision; without them those of the route are computed. */
  readonly knownTags?: readonly string[]
  /** Whether it is a stream that has not ended, so that it may depend on more than is known. */
  readonly isPartial?: boolean
}

/** Stores the responses of a route. */
export interface RouteStorage {
  decide(response: HandlerResponse, content: ResponseContent): StorageDecision
  /** Stores the response; the collapsed requests receive it. */
  store(response: HandlerResponse, body: Buffer, plan: StoragePlan): Promise<StoredResponse>
  /** Removes a stored response that the origin would no longer give. */
  remove(context: RequestContext, stored: StoredResponse): Promise<void>
}
