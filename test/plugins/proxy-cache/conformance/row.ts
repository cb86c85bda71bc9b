import type { Answer, FieldLines, FieldValue } from '../../../harness/scripted-origin.js'

/** One rule of a specification, and a short conversation that shows how the cache follows it. */
export interface Row {
  /** What the cache does, as a sentence without a subject; unique. */
  readonly title: string
  /** `RFC 9111 §4.2.1`. */
  readonly clause: string
  /** The route. Default `plain`: `config: { proxyCache: {} }`. */
  readonly route?: RouteName
  readonly exchanges: readonly Exchange[]
  /** False: the clause permits more than is implemented, and the row shows what happens instead. */
  readonly supported?: false
}

/** Names of routes; see `routes` in caches.ts. */
export type RouteName =
  | 'plain'
  | 'heuristic'
  | 'deaf'
  | 'defaultLifetime'
  | 'staleWhileRevalidate'
  | 'staleIfError'
  | 'fewVariants'
  | 'smallBodies'

/** A request, the response of the origin, and the expected result. */
export interface Exchange {
  /** Default GET. */
  readonly method?: string
  /** What follows the row's own path: `?a=1`, `/other`. Default nothing. */
  readonly path?: string
  readonly host?: string
  readonly fields?: FieldLines
  readonly body?: string
  /** Seconds that pass before the request. Default 0. */
  readonly after?: number
  /** Number of concurrent requests; the origin answers none before all have arrived. Default 1. */
  readonly together?: number
  /** Method of another request for the same target, which is answered with 200 while this one is in flight. */
  readonly meanwhile?: string
  /** Default: a 200 that states no freshness, with the number of the exchange in its body. */
  readonly origin?: Answer
  readonly expect?: Expectation
}

/** Who answered the client: the origin, the store, the store after a 304 of the origin, or none of them. */
export type AnsweredBy = 'origin' | 'store' | 'validation' | 'none'

export interface Expectation {
  /** Default `origin`. */
  readonly by?: AnsweredBy
  /** The exchange, counted from 1, whose answer the store gives. Default 1. */
  readonly of?: number
  /** Default: that of the answer. An incomplete response has none. */
  readonly status?: number | 'broken'
  /** Default: that of the answer, or empty if the response has no content. */
  readonly body?: string | RegExp
  /** Fields of the response: a value, lines, a pattern, `null` for a missing field, or a text that it must not contain. */
  readonly fields?: Readonly<Record<string, FieldExpectation>>
  /** Fields of the last request that reached the origin. */
  readonly sent?: Readonly<Record<string, FieldExpectation>>
  /** Method of the request to the origin, if it is not that of the client. */
  readonly sentMethod?: string
  /** Requests that reach the origin. Default: one by `origin` and `validation`, none by `store`; `none` may ask. */
  readonly reached?: number
  /** The origin receives another request after the client has its answer. */
  readonly refreshed?: true
}

export type FieldExpectation = FieldValue | readonly string[] | RegExp | { readonly without: string } | null

/** A row without its clause. */
export type Rule = Omit<Row, 'clause'>

/** Rows of one clause. */
export function under(clause: string, rows: readonly Rule[]): readonly Row[] {
  return rows.map((row) => ({ ...row, clause }))
}

/** Default body of the origin for the n-th exchange. */
export function bodyOf(exchange: number): string {
  return `answer ${exchange}`
}

/** A field line with that Cache-Control. */
export function cacheControl(value: string): readonly [string, string] {
  return ['Cache-Control', value]
}

/** The usual parts of a row about a stored response. */
export interface Reuse {
  /** Field lines of the first response. */
  readonly fields?: FieldLines
  /** Other parts of that response. */
  readonly answer?: Answer
  /** Field lines of the first request. */
  readonly asked?: FieldLines
  /** Field lines of the second request. */
  readonly asking?: FieldLines
  /** Seconds between the two. Default 1. */
  readonly after?: number
  readonly route?: RouteName
  readonly supported?: false
  /** Other expectations of the second exchange. */
  readonly expect?: Expectation
}

/** The second request is answered from the store. */
export function reuses(title: string, reuse: Reuse): Rule {
  return twice(title, reuse, 'store')
}

/** The second request is answered by the origin, in full. */
export function doesNotReuse(title: string, reuse: Reuse): Rule {
  return twice(title, reuse, 'origin')
}

/** The second request is answered from the store after the origin has answered 304. */
export function validates(title: string, reuse: Reuse): Rule {
  return twice(title, reuse, 'validation')
}

function twice(title: string, reuse: Reuse, by: AnsweredBy): Rule {
  const { fields = [], answer, asked = [], asking = [], after = 1, expect, route, supported } = reuse
  const origin = { ...answer, fields: [...(answer?.fields ?? []), ...fields] }
  return {
    title,
    ...(route === undefined ? {} : { route }),
    ...(supported === undefined ? {} : { supported }),
    exchanges: [
      { fields: asked, origin },
      {
        fields: asking,
        after,
        // To a validation the origin has the same response, else another body.
        origin: by === 'validation' ? origin : { status: origin.status ?? 200 },
        expect: { by, ...expect },
      },
    ],
  }
}
