/** Limits of upstream calls. Time-outs are configuration: `UPSTREAM_TIMEOUT_MS`, `UPSTREAM_DEADLINE_MS`. */
export const limits = {
  /** Connections to the upstream, shared by all request groups. */
  maxConnections: 32,
  /** Pages that one request group requests at the same time. */
  concurrency: 4,
  /** Pages per list. */
  maxPages: 1_000,
  /** Items per list. */
  maxItems: 100_000,
  /** Bytes per response body. */
  maxBodyBytes: 8 * 2 ** 20,
  /** How long `close()` waits for request groups in flight. */
  closeGraceMs: 1_000,
} as const

export const sellersPageSize = 500
export const catalogsPageSize = 200

export type Limits = { readonly [Name in keyof typeof limits]: number }
