import { createHash } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import type { Cache, Made } from '../cache/index.js'
import type { RequestKey } from './key.js'
import { StoredResponse, type StoredResponseParts } from './stored-response.js'
import { variantValue } from './vary.js'

const Lines = Type.Union([Type.String(), Type.Array(Type.String())])

/** A response as it lies in the shared store; instants are milliseconds since the epoch. */
const SharedResponse = Type.Object({
  status: Type.Integer(),
  fields: Type.Record(Type.String(), Lines),
  body: Type.String({ description: 'base64' }),
  bornAt: Type.Number(),
  receivedAt: Type.Number(),
  freshUntil: Type.Number(),
  revalidateUntil: Type.Number(),
  staleUntil: Type.Number(),
  varyNames: Type.Array(Type.String()),
  varyValues: Type.Array(Type.String()),
  allowsAuthorization: Type.Boolean(),
  browserSeconds: Type.Union([Type.Number(), Type.Null()]),
  compresses: Type.Boolean(),
  mayEverBeStale: Type.Boolean(),
  hasOwnValidator: Type.Boolean(),
  tags: Type.Array(Type.String()),
})

/** What is known of a resource: by which request fields its responses vary, and which there are. */
const SharedResource = Type.Object({
  varies: Type.Array(Type.Array(Type.String())),
  variants: Type.Array(Type.String()),
})

/** Seconds that a response is kept at least beyond its use, to be validated. */
const validationSeconds = 3_600
/** Seconds that the cache keeps anything at most; origins may name more. */
const maxTtlSeconds = 366 * 86_400

/**
 * Responses in the shared store of `fastify.cache`: an entry for each, and one that tells by what those of a resource vary.
 * All of a resource have a tag in common, so that it goes as a whole.
 */
export class SharedResponses {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** The latest response for a request with these values; knows by itself when it is no longer what the store has. */
  async get(key: string, variantOf: (name: string) => string): Promise<StoredResponse | undefined> {
    const name = nameOf(key)
    const resource = await this.#cache.get(name, { schema: SharedResource, acceptStale: true })
    for (const names of resource?.varies ?? []) {
      const variant = variantName(name, names, names.map(variantOf))
      const { result, made } = await this.#cache.collect(() =>
        this.#cache.get(variant, { schema: SharedResponse, acceptStale: true }),
      )
      if (result !== undefined) return fromShared(result, made)
    }
    return undefined
  }

  /** Keeps the response; gives it back as it is kept there, or `undefined` where it is not. */
  async put(
    { key, path }: RequestKey,
    response: StoredResponse,
    maxVariants: number,
  ): Promise<StoredResponse | undefined> {
    const name = nameOf(key)
    const variant = variantName(name, response.varyNames, response.varyValues)
    const { instants } = response
    const useUntil = Math.max(instants.freshUntil, instants.revalidateUntil, instants.staleUntil)
    const useSeconds = Math.max(0, (useUntil - response.receivedAt) / 1_000)
    const ttlSeconds = Math.min(useSeconds + validationSeconds, maxTtlSeconds)
    const policy = { ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: validationSeconds }
    const known = await this.#cache.get(name, { schema: SharedResource, acceptStale: true })
    const isKnown = known?.variants.includes(variant) === true
    if (!isKnown && (known?.variants.length ?? 0) >= maxVariants) return undefined
    const tags = [tagOf(key), tagOf(path), ...response.tags.slice(0, maxTags)]
    const isKept = await this.#cache.set(variant, toShared(response), { ...policy, tags, schema: SharedResponse })
    if (!isKept) return undefined
    if (!isKnown) {
      const others = known?.varies.filter((names) => names.join() !== response.varyNames.join()) ?? []
      const resource = {
        varies: [[...response.varyNames], ...others],
        variants: [variant, ...(known?.variants ?? [])],
      }
      await this.#cache.set(name, resource, { ...policy, tags: [tagOf(key), tagOf(path)], schema: SharedResource })
    }
    return this.get(key, variantOfResponse(response))
  }

  /** Whether the resource has been invalidated, by whichever process, since this began to be made. */
  isInvalidated({ key, path }: RequestKey, made: Made): boolean {
    return made.alsoTagged([tagOf(key), tagOf(path)]).purged() !== 'none'
  }

  /** Removes one response, everywhere. */
  async remove(key: string, { varyNames, varyValues }: StoredResponse): Promise<void> {
    await this.#cache.delete(variantName(nameOf(key), varyNames, varyValues))
  }

  /** Removes all responses of the resources with these keys, or under these paths, everywhere. */
  async delete(places: readonly string[]): Promise<void> {
    await this.#cache.purge({ tags: places.map(tagOf), hard: true })
  }
}

/** Tags of a response beside those of its resource: an entry has 16. */
const maxTags = 14

function variantOfResponse({ varyNames, varyValues }: StoredResponse): (name: string) => string {
  return (name) => varyValues[varyNames.indexOf(name)] ?? variantValue(undefined)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32)
}

function nameOf(key: string): string {
  return `~edge:${digest(key)}`
}

function tagOf(key: string): string {
  return `~edge:${digest(key)}`
}

function variantName(name: string, varyNames: readonly string[], varyValues: readonly string[]): string {
  return `${name}:${digest(JSON.stringify([varyNames, varyValues]))}`
}

function toShared(response: StoredResponse): Static<typeof SharedResponse> {
  const { status, fields, body, bornAt, receivedAt, instants, browserSeconds } = response
  return {
    status,
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, lines]) => [name, typeof lines === 'string' ? lines : [...lines]]),
    ),
    body: body.toString('base64'),
    bornAt,
    receivedAt,
    ...instants,
    varyNames: [...response.varyNames],
    varyValues: [...response.varyValues],
    allowsAuthorization: response.allowsAuthorization,
    browserSeconds: browserSeconds ?? null,
    compresses: response.compresses,
    mayEverBeStale: response.mayEverBeStale,
    hasOwnValidator: response.hasOwnValidator,
    tags: [...response.tags],
  }
}

function fromShared(shared: Static<typeof SharedResponse>, made: Made): StoredResponse {
  const { freshUntil, revalidateUntil, staleUntil, body, browserSeconds, ...others } = shared
  const parts: StoredResponseParts = {
    ...others,
    body: Buffer.from(body, 'base64'),
    browserSeconds: browserSeconds ?? undefined,
    instants: { freshUntil, revalidateUntil, staleUntil },
    isDerived: false,
    made,
  }
  return new StoredResponse(parts)
}
