import { StoredResponse, type StoredResponseParts } from '../../plugins/responses/stored-response.js'

/** A plain response, fresh for a minute from the given instant, with whatever else the test wants of it. */
export function makeStored(now: number, parts: Partial<StoredResponseParts> = {}): StoredResponse {
  const until = now + 60_000
  return new StoredResponse({
    status: 200,
    fields: {},
    body: Buffer.alloc(1_000),
    bornAt: now,
    receivedAt: now,
    instants: { freshUntil: until, revalidateUntil: until, staleUntil: until },
    varyNames: [],
    varyValues: [],
    browserSeconds: undefined,
    compresses: false,
    mayEverBeStale: true,
    hasOwnValidator: true,
    isDerived: false,
    tags: [],
    made: undefined,
    ...parts,
  })
}
