const labels = /^(?:sellers_all|sellers_filtered|catalogs_seller|catalogs_filtered)/

/** The metric label of a key. Bounded: an id is never part of it. */
export function metricLabel(key: string): string {
  return labels.exec(key)?.[0] ?? 'other'
}
