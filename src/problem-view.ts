import type { FastifyRequest } from 'fastify'
import type { Problem } from './http/problems.js'
import { languageOf } from './languages.js'
import { type Texts, textsOf } from './texts/index.js'

/** A problem as people are told of it: what is the matter and what to do, without the words of the trade. */
export interface ProblemView {
  readonly text: Texts
  readonly status: string
  readonly heading: string
  readonly advice: string
  readonly errors: readonly { readonly field: string; readonly detail: string }[]
  readonly requestId: string
  /** The same address again, where that may help. */
  readonly retry: string | undefined
}

export function createProblemView(problem: Problem, request: FastifyRequest): ProblemView {
  const text = textsOf(languageOf(request))
  const { headings, advice, refused, failed, refusedAdvice, failedAdvice } = text.problem
  const { status, errors = [] } = problem
  const isOurs = status >= 500
  return {
    text,
    status: text.problem.status(status),
    heading: said(headings, status) ?? (isOurs ? failed : refused),
    advice: said(advice, status) ?? (isOurs ? failedAdvice : refusedAdvice),
    errors: errors.map(({ field, detail }) => ({ field, detail: said(text.problem.fields, field) ?? detail })),
    requestId: problem.request_id,
    retry: isOurs || status === 429 ? request.url.replace(/^[/\\]+/, '/') : undefined, // `//host` leads to somebody else
  }
}

function said(sentences: Readonly<Record<string | number, string>>, about: string | number): string | undefined {
  return Object.hasOwn(sentences, about) ? sentences[about] : undefined
}
