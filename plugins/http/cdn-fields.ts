import { type Directives, parseDirectives } from './cache-control.js'
import type { Fields } from './fields.js'
import { cdnCacheControl, type Instants } from './freshness.js'

/** Fields for caches in front of this one: tags, by which they can purge the response, and directives. */
export type CdnFields = Readonly<Record<string, string>>

/**
 * Forbids caches in front to store the response, whatever `Cache-Control` allows. Some surrogates know only one of the three directives
 * of `Surrogate-Control`: Fastly ignores `no-store`.
 */
export const notForCdn: CdnFields = {
  'cdn-cache-control': 'no-store',
  'surrogate-control': 'private, no-store, max-age=0',
}

/** Names of the fields with directives. `CDN-Cache-Control` is RFC 9213; Fastly and other surrogates read `Surrogate-Control`. */
export const cdnDirectiveFields = ['cdn-cache-control', 'surrogate-control'] as const

/**
 * The instants for caches in front. Where the freshness of the data ends that of the response, this cache does not serve the response
 * stale itself: the data cache decides. Caches in front may, as long as the data may be stale.
 */
export function advertisedInstants(instants: Instants, data: Instants | undefined): Instants {
  const { freshUntil, revalidateUntil, staleUntil } = instants
  if (data === undefined || freshUntil < data.freshUntil) return instants
  return {
    freshUntil,
    revalidateUntil: Math.max(revalidateUntil, data.revalidateUntil),
    staleUntil: Math.max(staleUntil, data.staleUntil),
  }
}

/** The lifetime for caches in front, where the response states none itself. Fields that the handler set stay. */
export function cdnLifetimeFields(stated: Fields, instants: Instants, bornAt: number): CdnFields {
  const value = cdnCacheControl(instants, bornAt)
  return Object.fromEntries(
    cdnDirectiveFields.filter((name) => stated[name] === undefined).map((name) => [name, value]),
  )
}

/**
 * What a response that is not stored says in addition, so that other caches do not store it either. `isPersonal`: it is for one client.
 * `no-cache` alone is not enough: Fastly ignores it.
 */
export function unstoredFields(stated: Fields, { isPersonal }: { readonly isPersonal: boolean }): CdnFields {
  const cacheControl = stated['cache-control']
  const isTargeted = cdnDirectiveFields.some((name) => stated[name] !== undefined)
  if (cacheControl === undefined) {
    const forBrowsers = { 'cache-control': isPersonal ? 'private, no-store' : 'private, no-cache' }
    return isPersonal && isTargeted ? { ...forBrowsers, ...notForCdn } : forBrowsers
  }
  if (isPersonal) return notForCdn
  const directives = parseDirectives(cacheControl)
  const isForbidden = directives.has('no-store') || isUnqualified(directives, 'no-cache')
  return isForbidden && !isTargeted ? notForCdn : {}
}

/** Whether a directive applies to the complete response. */
function isUnqualified(directives: Directives, name: string): boolean {
  return directives.has(name) && directives.get(name) === undefined
}
