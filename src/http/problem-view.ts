import type { FastifyRequest } from 'fastify'
import { type Texts, textsOf } from '../texts/index.js'
import { languageOf } from '../texts/languages.js'
import type { Problem } from './problems.js'

/** A problem as an HTML page shows it: plain words, no technical detail. */
export interface ProblemView {
  readonly text: Texts
  readonly status: string
  readonly heading: string
  readonly advice: string
  readonly errors: readonly { readonly field: string; readonly detail: string }[]
  readonly requestId: string
  /** The URL of the request, where a retry may help. */
  readonly retry: string | undefined
}

export function createProblemView(problem: Problem, request: FastifyRequest): ProblemView {
  const text = textsOf(languageOf(request))
  const { headings, advice, clientError, serverError, clientErrorAdvice, serverErrorAdvice } = text.problem
  const { status, errors = [] } = problem
  const isServerError = status >= 500
  return {
    text,
    status: text.problem.status(status),
    heading: textFor(headings, status) ?? (isServerError ? serverError : clientError),
    advice: textFor(advice, status) ?? (isServerError ? serverErrorAdvice : clientErrorAdvice),
    errors: errors.map(({ field, detail }) => ({ field, detail: textFor(text.problem.fields, field) ?? detail })),
    requestId: problem.request_id,
    // Without the leading slashes: `//host` is the URL of another site.
    retry: isServerError || status === 429 ? request.url.replace(/^[/\\]+/, '/') : undefined,
  }
}

function textFor(texts: Readonly<Record<string | number, string>>, key: string | number): string | undefined {
  return Object.hasOwn(texts, key) ? texts[key] : undefined
}
