import { type Static, Type } from '@sinclair/typebox'
import type { Cache, Dependencies } from '../cache/index.js'
import { digest } from '../responses/digest-map.js'
import { StoredResponse } from '../responses/stored-response.js'
import type { RequestKey } from '../responses/target-key.js'

const Lines = Type.Union([Type.String(), Type.Array(Type.String())])

/** A response of another server is not encoded, and has the lifetime for browsers that it states itself. */
export const sentAsReceived = { browserTtlSeconds: undefined, compresses: false } as const

/** A response in the shared store; instants are milliseconds since the epoch. */
const SharedResponse = Type.Object({
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
const SharedResource = Type.Object({
  varies: Type.Array(Type.Array(Type.String())),
  variants: Type.Array(Type.String()),
})

/** A response is stored so long after its last use, to be validated. */
const validationSeconds = 3_600
/** Maximum lifetime of the data cache; origins may state more. */
const maxTtlSeconds = 366 * 86_400

export interface SharedLookup {
  readonly found: StoredResponse | undefined
  /** Whether it has any response of the resource. */
  readonly hasVariants: boolean
}

/**
 * Responses in the shared store of `fastify.cache`: an entry for each, and one for each resource that lists its variants. All entries of
 * a resource have a tag in common, which removes them together.
 */
export class SharedResponses {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** The most recent response for a request with these field values. Its dependencies end it when the store changes. */
  async get(key: string, variantOf: (name: string) => string): Promise<SharedLookup> {
    const name = nameOf(key)
    const resource = await this.#cache.get(name, { schema: SharedResource, allowStale: true })
    const matching = (resource?.varies ?? []).map((names) =>
      this.#read(name, variantName(name, names, names.map(variantOf))),
    )
    const [found] = (await Promise.all(matching)).flat().sort((a, b) => b.originDate - a.originDate)
    return { found, hasVariants: resource !== undefined }
  }

  /**
   * Stores the response; gives it as it is stored, or `undefined` if it is not. The oldest variant is removed if there are too many.
   */
  async put(
    { key, path }: RequestKey,
    response: StoredResponse,
    maxVariants: number,
  ): Promise<StoredResponse | undefined> {
    if (response.tags.length > maxTags) return undefined // not all of them would fit, and purge it
    const name = nameOf(key)
    const variant = variantName(name, response.varyNames, response.varyValues)
    const policy = { ...lifetimeOf(response), tags: [tagOf(key), tagOf(path)] }
    const tagged = { ...policy, tags: [...policy.tags, ...response.tags] }
    const isStored = await this.#cache.set(variant, toShared(response), { ...tagged, schema: SharedResponse })
    if (!isStored) return undefined
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
    const [stored] = await this.#read(name, variant)
    return stored
  }

  /** Whether a process has invalidated the resource since the tracking began. */
  isInvalidated({ key, path }: RequestKey, dependencies: Dependencies): boolean {
    return dependencies.withTags([tagOf(key), tagOf(path)]).purgeVerdict() !== 'none'
  }

  /** Reads the resource too, so that the response depends on it: a new variant ends its freshness. */
  async #read(name: string, variant: string): Promise<StoredResponse[]> {
    const { value, dependencies } = await this.#cache.track(async () => {
      await this.#cache.get(name, { schema: SharedResource, allowStale: true })
      return this.#cache.get(variant, { schema: SharedResponse, allowStale: true })
    })
    // Other programs may write to Redis, and earlier versions stored cookies.
    if (value === undefined || Object.keys(value.fields).some((field) => /^set-cookie$/i.test(field))) return []
    return [fromShared(value, dependencies)]
  }

  /** Removes one response, everywhere. */
  async remove(key: string, { varyNames, varyValues }: StoredResponse): Promise<void> {
    await this.#cache.delete(variantName(nameOf(key), varyNames, varyValues))
  }

  /** Removes all responses of these keys and paths, everywhere. */
  async delete(places: readonly string[]): Promise<void> {
    await this.#cache.purge({ tags: places.map(tagOf), hard: true })
  }
}

/** The lifetime of its entry: while the response may be used, then while it may be validated. */
function lifetimeOf({ instants, receivedAt }: StoredResponse) {
  const useUntil = Math.max(instants.freshUntil, instants.revalidateUntil, instants.staleUntil)
  const useSeconds = Math.max(0, (useUntil - receivedAt) / 1_000)
  const ttlSeconds = Math.min(useSeconds + validationSeconds, maxTtlSeconds)
  return { ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: validationSeconds }
}

/** Tags of a response in addition to those of its resource: an entry has 16 at most. */
const maxTags = 14

function nameOf(key: string): string {
  return `~proxy:${digest(key)}`
}

function tagOf(key: string): string {
  return `~proxy:${digest(key)}`
}

function variantName(name: string, varyNames: readonly string[], varyValues: readonly string[]): string {
  return `${name}:${digest(JSON.stringify([varyNames, varyValues]))}`
}

function toShared(response: StoredResponse): Static<typeof SharedResponse> {
  const { status, fields, body, bornAt, receivedAt, instants, varyNames, varyValues, tags } = response
  return {
    status,
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, lines]) => [name, typeof lines === 'string' ? lines : [...lines]]),
    ),
    cdnFields: { ...response.cdnFields },
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

function fromShared(shared: Static<typeof SharedResponse>, dependencies: Dependencies): StoredResponse {
  const { freshUntil, revalidateUntil, staleUntil, body, ...others } = shared
  return new StoredResponse({
    ...others,
    body: Buffer.from(body, 'base64'),
    instants: { freshUntil, revalidateUntil, staleUntil },
    ...sentAsReceived,
    isDerived: false,
    dependencies,
  })
}
