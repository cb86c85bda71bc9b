const families = /^(?:sellers_all|sellers_filtered|catalogs_seller|catalogs_filtered)/

/** What keys of a kind are called in metrics. Ids may be words, so a key is never its own family. */
export function keyFamily(key: string): string {
  return families.exec(key)?.[0] ?? 'other'
}
