import type { Answer, FieldLines, FieldValue } from '../../../harness/scripted-origin.js'

/** One rule of a specification, and a short conversation that shows what the cache makes of it. */
export interface Row {
  /** What the cache does, as a sentence without a subject. No two rows have the same. */
  readonly title: string
  /** `RFC 9111 §4.2.1`. */
  readonly clause: string
  /** The kind of route that is asked. Default `plain`: `config: { proxyCache: {} }`. */
  readonly route?: RouteName
  readonly exchanges: readonly Exchange[]
  /** False: the clause permits more than we do, and the row shows what happens instead. */
  readonly supported?: false
}

/** Options of the routes that the rows ask; see `routes` in caches.ts. */
export type RouteName =
  | 'plain'
  | 'heuristic'
  | 'deaf'
  | 'defaultLifetime'
  | 'staleWhileRevalidate'
  | 'staleIfError'
  | 'fewVariants'
  | 'smallBodies'

/** A request, what the origin would answer to it, and what is to come of it. */
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
  /** How many times it is sent at the same moment, the origin answering none before all have come. Default 1. */
  readonly together?: number
  /** Method of another request for the same target, which comes and is answered with 200 while the origin has this one. */
  readonly meanwhile?: string
  /** Default: 200 without a word about freshness. Its body says which exchange it belongs to. */
  readonly origin?: Answer
  readonly expect?: Expectation
}

/** Who answered the client: the origin; the store alone; the store after the origin was asked and said 304; or nobody. */
export type AnsweredBy = 'origin' | 'store' | 'validation' | 'nobody'

export interface Expectation {
  /** Default `origin`. */
  readonly by?: AnsweredBy
  /** The exchange, counted from 1, whose answer the store gives. Default 1. */
  readonly of?: number
  /** Default: that of the answer. A broken-off response has none. */
  readonly status?: number | 'broken'
  /** Default: that of the answer, or nothing where the response has no content. */
  readonly body?: string | RegExp
  /** Fields of the response: as one value, as lines, by pattern, `null` when it must not be there, or without a text. */
  readonly fields?: Readonly<Record<string, FieldExpectation>>
  /** Fields of the last request that reached the origin. */
  readonly sent?: Readonly<Record<string, FieldExpectation>>
  /** Method with which the origin was asked, when it is not the client's. */
  readonly sentMethod?: string
  /** Requests that reach the origin. Default: one by `origin` and `validation`, none by `store`; `nobody` may ask. */
  readonly reached?: number
  /** The origin is asked once more after the client has its answer. */
  readonly refreshed?: true
}

export type FieldExpectation = FieldValue | readonly string[] | RegExp | { readonly without: string } | null

/** A row that does not say yet under which clause it stands. */
export type Rule = Omit<Row, 'clause'>

/** The rows under one clause. */
export function under(clause: string, rows: readonly Rule[]): readonly Row[] {
  return rows.map((row) => ({ ...row, clause }))
}

/** Body of the answer that the origin has for the n-th exchange when it is not told another. */
export function bodyOf(exchange: number): string {
  return `answer ${exchange}`
}

/** A field line with that Cache-Control. */
export function cacheControl(value: string): readonly [string, string] {
  return ['Cache-Control', value]
}

/** What most rows about a stored response need beside its title. */
export interface Reuse {
  /** Field lines of the response that is or is not to be kept. */
  readonly fields?: FieldLines
  /** The rest of that answer. */
  readonly answer?: Answer
  /** Field lines of the first request. */
  readonly asked?: FieldLines
  /** Field lines of the second request. */
  readonly asking?: FieldLines
  /** Seconds between the two. Default 1. */
  readonly after?: number
  readonly route?: RouteName
  readonly supported?: false
  /** What else holds of the second exchange. */
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

/** The second request is answered from the store once the origin has said that nothing changed. */
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
        // What validates is asked of an origin that still has the same; what does not is to be told apart by its body.
        origin: by === 'validation' ? origin : { status: origin.status ?? 200 },
        expect: { by, ...expect },
      },
    ],
  }
}
