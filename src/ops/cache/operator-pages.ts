import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Explanation } from 'fastify-vitrine/cache'
import { assets } from '../../http/assets.js'
import { render } from '../../http/html-pages.js'
import { type OperatorLabels, textsOf } from '../../texts/index.js'
import { createPerLanguage, languageOf } from '../../texts/languages.js'
import { createExplanationView } from './explanation-view.js'
import { createLiveView, type LiveView, type LiveViewDeps } from './live-view.js'
import { createOperatorFormatter } from './operator-formatter.js'
import { cookieOptions } from './signed-cookies.js'

/** What the page shows besides live statistics. */
export interface CacheView {
  readonly key?: string
  readonly explanation?: Explanation | undefined
  readonly notice?: ((labels: OperatorLabels['purge']) => string) | undefined
}

export interface SignInView {
  readonly message?: 'wrongToken' | 'sessionEnded'
  /** The key to inspect after signing in. */
  readonly key?: string | undefined
}

/** Sends the operator's pages in the language of the request. */
export interface OperatorPages {
  labelsFor(request: FastifyRequest): OperatorLabels
  liveView(request: FastifyRequest): LiveView
  renderCache(request: FastifyRequest, reply: FastifyReply, view: CacheView): FastifyReply
  renderSignIn(request: FastifyRequest, reply: FastifyReply, view: SignInView): FastifyReply
  render(request: FastifyRequest, reply: FastifyReply, template: string, view: object): FastifyReply
}

export function createOperatorPages(deps: LiveViewDeps): OperatorPages {
  const formatters = createPerLanguage(createOperatorFormatter)
  const formatterFor = (request: FastifyRequest) => formatters[languageOf(request)]
  const labelsFor = (request: FastifyRequest) => formatterFor(request).labels
  const liveView = (request: FastifyRequest) => createLiveView(deps, formatterFor(request))
  const renderPage = (request: FastifyRequest, reply: FastifyReply, template: string, view: object) => {
    const labels = labelsFor(request)
    const page = { text: textsOf(languageOf(request)), labels, title: labels.title, scripts: [assets.operator] }
    return render(reply, template, { ...page, ...view })
  }
  return {
    labelsFor,
    liveView,
    renderCache: (request, reply, { key = '', explanation, notice }) =>
      renderPage(request, reply, 'pages/ops-cache', {
        key,
        explanation: explanation && createExplanationView(explanation, formatterFor(request)),
        live: liveView(request),
        notice: notice?.(labelsFor(request).purge),
        csrf: reply.generateCsrf(cookieOptions(request)),
      }),
    renderSignIn: (request, reply, view) => renderPage(request, reply, 'pages/ops-sign-in', view),
    render: renderPage,
  }
}
