/** Limits of upstream calls. Time-outs are configuration: `UPSTREAM_TIMEOUT_MS`, `UPSTREAM_DEADLINE_MS`. */
export const limits = {
  /** Connections to the upstream, shared by all request groups. */
  maxConnections: 32,
  /** Milliseconds after which a connection is replaced, so that calls reach the addresses that DNS has now. */
  connectionMaxAgeMs: 30_000,
  /** Redirects within the upstream's origin that one call follows. */
  maxRedirects: 3,
  /** Pages that one request group requests at the same time. */
  concurrency: 4,
  /** Pages per list. */
  maxPages: 1_000,
  /** Items per list. */
  maxItems: 100_000,
  /** Bytes per response body, as received and decoded. */
  maxBodyBytes: 8 * 2 ** 20,
  /** How long `close()` waits for request groups in flight. */
  closeGraceMs: 1_000,
} as const

export const sellersPageSize = 500
export const catalogsPageSize = 200

export type Limits = { readonly [Name in keyof typeof limits]: number }
