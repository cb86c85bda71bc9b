import { validateHeaderValue } from 'node:http'
import { type Static, Type } from '@sinclair/typebox'
import { exactBytes } from '../http/exact-bytes.js'
import { type Fields, headerValues, hopByHopFilter } from '../http/fields.js'
import { isRequestSpecific } from '../http/storable.js'
import type { StoredResponse, StoredResponseFields } from '../responses/stored-response.js'
import { isTag } from '../responses/tag-header.js'

const Lines = Type.Union([Type.String(), Type.Array(Type.String())])

/** A response in the shared store; instants are milliseconds since the epoch. */
export const SharedResponse = Type.Object({
  status: Type.Integer(),
  fields: Type.Record(Type.String(), Lines),
  cdnFields: Type.Record(Type.String(), Type.String()),
  body: Type.String({ description: 'base64' }),
  bornAt: Type.Number(),
  receivedAt: Type.Number(),
  freshUntil: Type.Number(),
  revalidateUntil: Type.Number(),
  staleUntil: Type.Number(),
  varyNames: Type.Array(Type.String()),
  varyValues: Type.Array(Type.String()),
  allowsStale: Type.Boolean(),
  hasOwnValidator: Type.Boolean(),
  tags: Type.Array(Type.String()),
})

/** The variants of a resource: by which request fields they vary, and their keys. */
export const SharedResource = Type.Object({
  varies: Type.Array(Type.Array(Type.String())),
  variants: Type.Array(Type.String()),
})

type SharedResponse = Static<typeof SharedResponse>

/** A response of another server is not encoded, and has the lifetime for browsers that it states itself. */
export const sentAsReceived = { browserTtlSeconds: undefined, compresses: false } as const

/** Tags of a response in addition to four of its resource: an entry has 16 at most. */
export const maxSharedTags = 12
/** Far more than servers accept or send. */
const maxFieldBytes = 65_536
const maxVaryNames = 64
/** The last instant of a JavaScript date, in milliseconds since the epoch. */
const maxInstant = 8.64e15
/** Fields of one connection. */
const isHopByHop = hopByHopFilter(undefined)
/** A field name as this cache stores it: another spelling would pass by its rules. */
const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

export function toShared(response: StoredResponse): SharedResponse {
  const { status, fields, cdnFields, body, bornAt, receivedAt, instants, varyNames, varyValues, tags } = response
  return {
    status,
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, lines]) => [name, typeof lines === 'string' ? lines : [...lines]]),
    ),
    cdnFields: { ...cdnFields },
    body: body.toString('base64'),
    bornAt,
    receivedAt,
    ...instants,
    varyNames: [...varyNames],
    varyValues: [...varyValues],
    allowsStale: response.allowsStale,
    hasOwnValidator: response.hasOwnValidator,
    tags: [...tags],
  }
}

export function fromShared(shared: SharedResponse): Omit<StoredResponseFields, 'dependencies'> {
  const { freshUntil, revalidateUntil, staleUntil, body, ...others } = shared
  return {
    ...others,
    body: exactBytes(Buffer.from(body, 'base64')),
    instants: { freshUntil, revalidateUntil, staleUntil },
    ...sentAsReceived,
    isDerived: false,
  }
}

/**
 * Why an entry is no response that this cache could have stored; `undefined`: it is one. Other programs may write to the shared store.
 */
export function sharedProblem(shared: SharedResponse, maxBodyBytes: number): string | undefined {
  const { status, fields, cdnFields, body, varyNames, varyValues, tags } = shared
  const { bornAt, receivedAt, freshUntil, revalidateUntil, staleUntil } = shared
  if (status < 200 || status > 599 || isRequestSpecific(status)) return 'status'
  if (!hasStorableFields(fields) || !hasStorableFields(cdnFields)) return 'fields'
  if (body.length > Math.ceil(maxBodyBytes / 3) * 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return 'body'
  const instants = [bornAt, receivedAt, freshUntil, revalidateUntil, staleUntil]
  if (!instants.every((instant) => Math.abs(instant) <= maxInstant)) return 'instants'
  if (!areVaryNames(varyNames) || varyNames.length !== varyValues.length) return 'vary'
  return tags.length <= maxSharedTags && tags.every(isTag) ? undefined : 'tags'
}

/** Whether these may be names of request fields by which a response varies. */
export function areVaryNames(names: readonly string[]): boolean {
  return names.length <= maxVaryNames && names.every((name) => fieldName.test(name))
}

function hasStorableFields(fields: Fields): boolean {
  let bytes = 0
  for (const [name, lines] of Object.entries(fields)) {
    if (!fieldName.test(name) || name === 'set-cookie' || isHopByHop(name)) return false
    for (const line of headerValues(lines)) {
      bytes += name.length + line.length
      if (bytes > maxFieldBytes || !isFieldValue(name, line)) return false
    }
  }
  return true
}

function isFieldValue(name: string, line: string): boolean {
  try {
    validateHeaderValue(name, line)
    return true
  } catch {
    return false
  }
}
