import { type Static, Type } from '@sinclair/typebox'
import type { Cache, Dependencies } from '../cache/index.js'
import { digest } from '../responses/by-digest.js'
import { StoredResponse, type StoredResponseFields } from '../responses/stored-response.js'
import type { RequestKey } from '../responses/target-key.js'

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
  browserSeconds: Type.Union([Type.Number(), Type.Null()]),
  compresses: Type.Boolean(),
  allowsStale: Type.Boolean(),
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

/** What the shared store has for a request. */
export interface SharedLookUp {
  readonly found: StoredResponse | undefined
  /** Whether it has any response of the resource. */
  readonly isKnown: boolean
}

/**
 * Responses in the shared store of `fastify.cache`: an entry for each, and one that tells by what those of a resource vary.
 * All of a resource have a tag in common, so that it goes as a whole.
 */
export class SharedResponses {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** The most recent response for a request with these values; it knows by itself when it is not what the store has any more. */
  async get(key: string, variantOf: (name: string) => string): Promise<SharedLookUp> {
    const name = nameOf(key)
    const resource = await this.#cache.get(name, { schema: SharedResource, allowStale: true })
    const matching = (resource?.varies ?? []).map((names) =>
      this.#read(name, variantName(name, names, names.map(variantOf))),
    )
    const [found] = (await Promise.all(matching)).flat().sort((a, b) => b.originDate - a.originDate)
    return { found, isKnown: resource !== undefined }
  }

  /**
   * Keeps the response; gives it back as it is kept there, or `undefined` where it is not. The oldest variant goes when
   * there are too many.
   */
  async put(
    { key, path }: RequestKey,
    response: StoredResponse,
    maxVariants: number,
  ): Promise<StoredResponse | undefined> {
    if (response.tags.length > maxTags) return undefined // it could not be purged by all of them
    const name = nameOf(key)
    const variant = variantName(name, response.varyNames, response.varyValues)
    const policy = { ...lifetimeOf(response), tags: [tagOf(key), tagOf(path)] }
    const tagged = { ...policy, tags: [...policy.tags, ...response.tags] }
    const isKept = await this.#cache.set(variant, toShared(response), { ...tagged, schema: SharedResponse })
    if (!isKept) return undefined
    const known = await this.#cache.get(name, { schema: SharedResource, allowStale: true })
    if (known?.variants.includes(variant) !== true) {
      const variants = [variant, ...(known?.variants ?? [])]
      const others = known?.varies.filter((names) => names.join() !== response.varyNames.join()) ?? []
      const resource = {
        varies: [[...response.varyNames], ...others].slice(0, maxVariants),
        variants: variants.slice(0, maxVariants),
      }
      await this.#cache.set(name, resource, { ...policy, schema: SharedResource })
      await Promise.all(variants.slice(maxVariants).map((dropped) => this.#cache.delete(dropped)))
    }
    const [kept] = await this.#read(name, variant)
    return kept
  }

  /** Whether the resource has been invalidated, by whichever process, since this began to be made. */
  isInvalidated({ key, path }: RequestKey, made: Dependencies): boolean {
    return made.withTags([tagOf(key), tagOf(path)]).purgeVerdict() !== 'none'
  }

  /** Of what is known of the resource too, so that what is read is looked at again when there is another variant. */
  async #read(name: string, variant: string): Promise<StoredResponse[]> {
    const { value, dependencies } = await this.#cache.track(async () => {
      await this.#cache.get(name, { schema: SharedResource, allowStale: true })
      return this.#cache.get(variant, { schema: SharedResponse, allowStale: true })
    })
    // Anybody may write to Redis, and versions before this one stored cookies.
    if (value === undefined || Object.keys(value.fields).some((field) => /^set-cookie$/i.test(field))) return []
    return [fromShared(value, dependencies)]
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

/** How long a response is of use, and to be kept to be validated after that. */
function lifetimeOf({ instants, receivedAt }: StoredResponse) {
  const useUntil = Math.max(instants.freshUntil, instants.revalidateUntil, instants.staleUntil)
  const useSeconds = Math.max(0, (useUntil - receivedAt) / 1_000)
  const ttlSeconds = Math.min(useSeconds + validationSeconds, maxTtlSeconds)
  return { ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: validationSeconds }
}

/** Tags of a response beside those of its resource: an entry has 16. */
const maxTags = 14

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
  const { status, fields, body, bornAt, receivedAt, instants, browserTtlSeconds } = response
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
    browserSeconds: browserTtlSeconds ?? null,
    compresses: response.compresses,
    allowsStale: response.allowsStale,
    hasOwnValidator: response.hasOwnValidator,
    tags: [...response.tags],
  }
}

function fromShared(shared: Static<typeof SharedResponse>, made: Dependencies): StoredResponse {
  const { freshUntil, revalidateUntil, staleUntil, body, browserSeconds, ...others } = shared
  const parts: StoredResponseFields = {
    ...others,
    body: Buffer.from(body, 'base64'),
    browserTtlSeconds: browserSeconds ?? undefined,
    instants: { freshUntil, revalidateUntil, staleUntil },
    isDerived: false,
    dependencies: made,
  }
  return new StoredResponse(parts)
}
