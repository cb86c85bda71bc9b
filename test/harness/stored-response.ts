import { StoredResponse, type StoredResponseFields } from '../../plugins/responses/stored-response.js'

/** A response that is fresh for a minute from the given time. */
export function createStoredResponse(now: number, fields: Partial<StoredResponseFields> = {}): StoredResponse {
  const until = now + 60_000
  return new StoredResponse({
    status: 200,
    fields: {},
    cdnFields: {},
    body: Buffer.alloc(1_000),
    bornAt: now,
    receivedAt: now,
    instants: { freshUntil: until, revalidateUntil: until, staleUntil: until },
    varyNames: [],
    varyValues: [],
    browserTtlSeconds: undefined,
    compresses: false,
    allowsStale: true,
    hasOwnValidator: true,
    isDerived: false,
    tags: [],
    dependencies: undefined,
    ...fields,
  })
}
