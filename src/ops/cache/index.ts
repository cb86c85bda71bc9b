import cookie from '@fastify/cookie'
import csrf from '@fastify/csrf-protection'
import formbody from '@fastify/formbody'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Explanation } from 'fastify-vitrine/cache'
import { assets } from '../../assets.js'
import { logError } from '../../http/problems.js'
import { inEachLanguage, languageOf } from '../../languages.js'
import { readsHtml, show } from '../../pages.js'
import { textsOf } from '../../texts/index.js'
import { type OperatorTexts, operatorTexts } from '../../texts/operator.js'
import type { Watch } from '../live-stats/watch.js'
import { type OperatorToken, unauthorised } from '../operator-token.js'
import { Key, orderPurge, Tag } from '../purge.js'
import { createExplanationView } from './explanation-view.js'
import { LiveStreams } from './live.js'
import { createLiveView } from './live-view.js'
import { leaveNotice, type Notice, takeNotice } from './notices.js'
import { createOperatorWords } from './operator-words.js'
import { createSessions } from './sessions.js'

export interface CachePageOptions {
  readonly token: OperatorToken
  readonly watch: Watch
  /** Whether Redis is left alone for now; `undefined` when there is none. */
  readonly isBreakerOpen: () => boolean | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const pagePath = '/ops/cache'
/** A form has a token, a name and little else. */
const formLimitBytes = 16 * 1_024

const LookedUp = Type.Optional(Type.String({ maxLength: 512 }))
const Question = Type.Object({ key: LookedUp }, { additionalProperties: false })
const SignIn = Type.Object({ token: Type.String({ maxLength: 4_096 }), key: LookedUp })
const Order = Type.Union([
  Type.Object({ kind: Type.Literal('tag'), name: Tag, hard: Type.Optional(Type.Literal('on')) }),
  Type.Object({ kind: Type.Literal('key'), name: Key, hard: Type.Optional(Type.Literal('on')) }),
])

/** What the page shows besides what goes on. */
interface CacheView {
  /** A key that was looked up. */
  readonly key?: string
  readonly explanation?: Explanation | undefined
  /** What came of an order. */
  readonly notice?: ((says: OperatorTexts['purge']) => string) | undefined
}

interface SignInView {
  /** What did not come of it. */
  readonly why?: 'wrongToken' | 'sessionEnded'
  /** The key to look up once somebody has signed in. */
  readonly key?: string | undefined
}

/** `/ops/cache`: what the cache does just now, in a browser, for whoever has signed in with the token. */
const cachePage: FastifyPluginAsyncTypebox<CachePageOptions> = async (app, { token, watch, isBreakerOpen, now }) => {
  await app.register(formbody, { bodyLimit: formLimitBytes })
  await app.register(cookie, { secret: token.secretFor('cookies of the operator page').toString('base64') })
  await app.register(csrf, {
    cookieKey: 'vitrine_csrf',
    cookieOpts: { path: '/ops', httpOnly: true, sameSite: 'strict', signed: true },
    getToken: ({ body }) => (body as { _csrf?: string } | undefined)?._csrf, // what the parser made of a form
  })
  const sessions = createSessions(now)
  const streams = new LiveStreams()
  const wordsIn = inEachLanguage(createOperatorWords)
  const parts = { watch, cache: app.cache, edge: app.edge, isBreakerOpen }
  const stopWatching = watch.onSample(() => streams.send())
  app.addHook('preClose', async () => {
    stopWatching()
    streams.close()
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', vary: 'accept-language, cookie' })
  })
  const isOperator = (request: FastifyRequest) => sessions.isOpen(request) || token.isBearer(request)
  /** Who has no session may sign in; a script, which cannot, is told so. */
  const onlyOperators = async (request: FastifyRequest, reply: FastifyReply) => {
    if (isOperator(request)) return
    if (request.headers.authorization !== undefined) throw unauthorised(reply)
    if (request.method === 'GET') return reply.redirect(pagePath, 303)
    return showSignIn(request, reply.code(401), { why: 'sessionEnded' }) // what was ordered is not done, and that is told
  }
  const hidden = { hide: true }

  app.get(pagePath, { schema: { ...hidden, querystring: Question } }, async (request, reply) => {
    if (!isOperator(request)) {
      if (!readsHtml(request) || request.headers.authorization !== undefined) throw unauthorised(reply)
      return showSignIn(request, reply, { key: request.query.key })
    }
    const { key = '' } = request.query
    const explanation = key === '' ? undefined : await app.cache.explain(key)
    if (!readsHtml(request) && token.isBearer(request)) {
      const { upstream, lastMinute, log } = watch
      return { cache: app.cache.stats(), edge: app.edge.stats(), upstream, lastMinute, changes: log.all, explanation }
    }
    return showCache(request, reply, { key, explanation, notice: noticeOf(takeNotice(request, reply)) })

    function noticeOf(notice: Notice | undefined): CacheView['notice'] {
      if (notice === undefined) return undefined
      const { kind, name, isQueued } = notice
      const outcome = isQueued ? 'queued' : isBreakerOpen() === undefined ? 'doneHere' : 'done'
      return (purge) => purge[outcome](purge[kind], name)
    }
  })

  // Without HEAD: it would open a stream that is never read.
  app.get(
    `${pagePath}/live`,
    { schema: hidden, exposeHeadRoute: false, onRequest: onlyOperators },
    async (request, reply) => {
      if (streams.isFull) return reply.code(503).header('retry-after', '10').send('')
      const words = wordsIn[languageOf(request)]
      const stream = streams.open(reply.raw, async () => {
        return isOperator(request) ? app.view('partials/ops/live', createLiveView(parts, words)) : undefined
      })
      return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream)
    },
  )

  app.post(
    `${pagePath}/session`,
    { schema: { ...hidden, body: SignIn }, config: { rateLimit: { max: 20, timeWindow: '1 minute' } } },
    async (request, reply) => {
      const { token: given, key } = request.body
      if (!token.isToken(given)) {
        request.log.info({ address: request.ip }, 'somebody tried to sign in with a wrong token')
        return showSignIn(request, reply.code(401), { why: 'wrongToken', key })
      }
      sessions.open(request, reply)
      return reply.redirect(key === undefined ? pagePath : `${pagePath}?${new URLSearchParams({ key })}`, 303)
    },
  )

  // Where answers to forms leave the browser, and whoever comes back to them or tries again.
  for (const form of ['session', 'session/end', 'purge/confirmed']) {
    app.get(`${pagePath}/${form}`, { schema: hidden }, (_request, reply) => reply.redirect(pagePath, 303))
  }

  app.post(
    `${pagePath}/session/end`,
    { schema: hidden, onRequest: onlyOperators, preValidation: app.csrfProtection },
    async (_request, reply) => {
      sessions.close(reply)
      return reply.redirect(pagePath, 303)
    },
  )

  app.get(
    `${pagePath}/purge`,
    { schema: { ...hidden, querystring: Order }, onRequest: onlyOperators, errorHandler: refuseOrder },
    async (request, reply) => {
      const { kind, name, hard } = request.query
      const { purge } = operatorTexts[languageOf(request)]
      return showPage(request, reply, 'pages/ops-purge', {
        order: request.query,
        what: purge.confirm(purge[kind], name),
        meaning: hard === 'on' ? purge.hardMeans : purge.soft,
        isKept: kind === 'tag' ? undefined : await isKept(name),
        csrf: reply.generateCsrf(),
      })
    },
  )

  app.post(
    `${pagePath}/purge/confirmed`,
    {
      schema: { ...hidden, body: Order },
      onRequest: onlyOperators,
      preValidation: app.csrfProtection,
      errorHandler: refuseOrder,
    },
    async (request, reply) => {
      const { kind, name, hard } = request.body
      const named = kind === 'tag' ? { tags: [name], keys: [] } : { tags: [], keys: [name] }
      const { isDone } = await orderPurge(app.cache, { ...named, hard: hard === 'on' }, request)
      leaveNotice({ kind, name, isQueued: !isDone }, request, reply)
      return reply.redirect(pagePath, 303)
    },
  )

  /** `undefined` where Redis could not be asked. */
  async function isKept(key: string): Promise<boolean | undefined> {
    const { memory, redis } = await app.cache.explain(key)
    if (memory !== undefined) return true
    return redis === 'unknown' ? undefined : typeof redis === 'object' && !('purgedAt' in redis)
  }

  function showSignIn(request: FastifyRequest, reply: FastifyReply, view: SignInView): FastifyReply {
    return showPage(request, reply, 'pages/ops-sign-in', view)
  }

  async function showCache(request: FastifyRequest, reply: FastifyReply, view: CacheView): Promise<FastifyReply> {
    const words = wordsIn[languageOf(request)]
    return showPage(request, reply, 'pages/ops-cache', {
      key: view.key ?? '',
      explanation: view.explanation && createExplanationView(view.explanation, words),
      live: createLiveView(parts, words),
      notice: view.notice?.(words.says.purge),
      csrf: reply.generateCsrf(),
    })
  }

  /** A purge that cannot be: a person is told so where the next try is made. */
  async function refuseOrder(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (error.validation === undefined || !readsHtml(request)) throw error // it is answered like any other
    logError(error, request)
    return showCache(request, reply.code(400), { notice: ({ wrong }) => wrong })
  }

  function showPage(request: FastifyRequest, reply: FastifyReply, template: string, view: object): FastifyReply {
    const language = languageOf(request)
    const [text, says] = [textsOf(language), operatorTexts[language]]
    return show(reply, template, { text, says, title: says.title, scripts: [assets.operator], ...view })
  }
}

export default cachePage
