import { createHash } from 'node:crypto'

export const sellersKey = 'sellers_all'

export function catalogsKey(sellerId: string): string {
  return `catalogs_seller_${sellerId}`
}

/** Key by which identical filtered requests in flight share one call. Hashed, because filters may be long. */
export function filteredKey(list: 'sellers' | 'catalogs', query: object): string {
  return `${list}_filtered_${createHash('sha256').update(JSON.stringify(query)).digest('base64url')}`
}

const labels = /^(?:sellers_all|sellers_filtered|catalogs_seller|catalogs_filtered)/

/** The metric label of a key. Bounded: an id is never part of it. */
export function metricLabel(key: string): string {
  return labels.exec(key)?.[0] ?? 'other'
}
