import type { FastifyBaseLogger } from 'fastify'
import type { Cache, Dependencies } from '../cache/index.js'
import { digest } from '../responses/digest-map.js'
import { plainPath, type ResponsePurge } from '../responses/response-purge.js'
import { StoredResponse } from '../responses/stored-response.js'
import type { RequestKey } from '../responses/target-key.js'
import type { ResolvedRoute } from './options.js'
import {
  areVaryNames,
  fromShared,
  maxSharedTags,
  SharedResource,
  SharedResponse,
  sharedProblem,
  toShared,
} from './shared-entry.js'

/** A response is stored so long after its last use, to be validated. */
const validationSeconds = 3_600
/** Maximum lifetime of the data cache; origins may state more. */
const maxTtlSeconds = 366 * 86_400

/** The bounds of the route, which entries of other programs are held to as well. */
export type SharedBounds = Pick<ResolvedRoute, 'maxVariants' | 'maxBodyBytes'>

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
  readonly #log: FastifyBaseLogger
  readonly #reported = new Set<string>()

  constructor(cache: Cache, log: FastifyBaseLogger) {
    this.#cache = cache
    this.#log = log
  }

  /** The most recent response for a request with these field values. Its dependencies end it when the store changes. */
  async get(key: string, variantOf: (name: string) => string, bounds: SharedBounds): Promise<SharedLookup> {
    const name = nameOf(key)
    const resource = await this.#cache.get(name, { schema: SharedResource, allowStale: true })
    const varies = (resource?.varies ?? []).filter(areVaryNames).slice(0, bounds.maxVariants)
    const matching = varies.map((names) => this.#read(name, variantName(name, names, names.map(variantOf)), bounds))
    const [found] = (await Promise.all(matching)).flat().sort((a, b) => b.originDate - a.originDate)
    return { found, hasVariants: resource !== undefined }
  }

  /**
   * Stores the response; gives it as it is stored, or `undefined` if it is not. The oldest variant is removed if there are too many.
   */
  async put(
    { key, path }: RequestKey,
    response: StoredResponse,
    bounds: SharedBounds,
  ): Promise<StoredResponse | undefined> {
    if (response.tags.length > maxSharedTags) return undefined // not all of them would fit, and purge it
    const name = nameOf(key)
    const variant = variantName(name, response.varyNames, response.varyValues)
    const policy = { ...lifetimeOf(response), tags: tagsOf({ key, path }) }
    const tagged = { ...policy, tags: [...policy.tags, ...response.tags] }
    const isStored = await this.#cache.set(variant, toShared(response), { ...tagged, schema: SharedResponse })
    if (!isStored) return undefined
    const known = await this.#cache.get(name, { schema: SharedResource, allowStale: true })
    if (known?.variants.includes(variant) !== true) {
      const { maxVariants } = bounds
      // Another program may have listed keys of its own, which are not to be deleted.
      const knownVariants = (known?.variants ?? []).filter((key) => isVariantOf(name, key))
      const variants = [variant, ...knownVariants]
      const others = known?.varies.filter((names) => names.join() !== response.varyNames.join()) ?? []
      const resource = {
        varies: [[...response.varyNames], ...others].slice(0, maxVariants),
        variants: variants.slice(0, maxVariants),
      }
      await this.#cache.set(name, resource, { ...policy, schema: SharedResource })
      await Promise.all(variants.slice(maxVariants).map((dropped) => this.#cache.delete(dropped)))
    }
    const [stored] = await this.#read(name, variant, bounds)
    return stored
  }

  /** Whether a process has invalidated the resource since the tracking began. */
  isInvalidated({ key, path }: RequestKey, dependencies: Dependencies): boolean {
    return dependencies.withTags(tagsOf({ key, path })).purgeVerdict() !== 'none'
  }

  /** Reads the resource too, so that the response depends on it: a new variant ends its freshness. */
  async #read(name: string, variant: string, { maxBodyBytes }: SharedBounds): Promise<StoredResponse[]> {
    const { value, dependencies } = await this.#cache.track(async () => {
      await this.#cache.get(name, { schema: SharedResource, allowStale: true })
      return this.#cache.get(variant, { schema: SharedResponse, allowStale: true })
    })
    if (value === undefined) return []
    const problem = sharedProblem(value, maxBodyBytes)
    if (problem === undefined) return [new StoredResponse({ ...fromShared(value), dependencies })]
    this.#warnOnce(problem)
    return []
  }

  #warnOnce(reason: string): void {
    if (this.#reported.has(reason)) return
    this.#reported.add(reason)
    this.#log.warn(
      { kind: 'proxy-cache', reason },
      'the shared store has an entry that is no valid response: it is not used; another program writes under the key prefix',
    )
  }

  /** Removes one response, everywhere. */
  async remove(key: string, { varyNames, varyValues }: StoredResponse): Promise<void> {
    await this.#cache.delete(variantName(nameOf(key), varyNames, varyValues))
  }

  /** Removes all responses of these keys and paths, everywhere. */
  async delete(places: readonly string[]): Promise<void> {
    await this.#cache.purge({ tags: places.map(tagOf), hard: true })
  }

  /** Removes the responses, everywhere. Tags do not know prefixes: for one of them all responses are removed. */
  async purge({ paths = [], tags = [], all = false }: ResponsePurge): Promise<void> {
    const isAll = all || paths.some((path) => path.endsWith('*'))
    const ofPaths = isAll ? [tagOfAll] : paths.map((path) => tagOfPath(plainPath(path)))
    if (ofPaths.length > 0) await this.#cache.purge({ tags: ofPaths, hard: true })
    // Data may have these tags too: their stale values stay.
    if (tags.length > 0) await this.#cache.purge({ tags })
  }
}

/** Every response has it. */
const tagOfAll = '~proxy'

function tagsOf({ key, path }: RequestKey): string[] {
  return [tagOf(key), tagOf(path), tagOfPath(plainPath(path)), tagOfAll]
}

/** The tag of a path on any origin. */
function tagOfPath(path: string): string {
  return `~proxy-path:${digest(path)}`
}

/** The lifetime of its entry: while the response may be used, then while it may be validated. */
function lifetimeOf({ instants, receivedAt }: StoredResponse) {
  const useUntil = Math.max(instants.freshUntil, instants.revalidateUntil, instants.staleUntil)
  const useSeconds = Math.max(0, (useUntil - receivedAt) / 1_000)
  const ttlSeconds = Math.min(useSeconds + validationSeconds, maxTtlSeconds)
  return { ttlSeconds, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: validationSeconds }
}

function nameOf(key: string): string {
  return `~proxy:${digest(key)}`
}

function tagOf(key: string): string {
  return `~proxy:${digest(key)}`
}

function variantName(name: string, varyNames: readonly string[], varyValues: readonly string[]): string {
  return `${name}:${digest(JSON.stringify([varyNames, varyValues]))}`
}

/** Whether the key is one of `variantName`. */
function isVariantOf(name: string, key: string): boolean {
  return key.startsWith(`${name}:`) && /^[\w-]{32}$/.test(key.slice(name.length + 1))
}
