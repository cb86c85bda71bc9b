import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import edge from '../../../plugins/edge/index.js'

// What a handler gets to see of the request, and what follows from its having looked.

async function startEdge(t: Test, routes: (app: FastifyInstance) => void): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(edge)
  routes(app)
  await app.ready()
  t.teardown(() => app.close())
  return app
}

t.test(
  'a response that was negotiated for a client without a preference is not the one for those who have one',
  async (t) => {
    const app = await startEdge(t, (app) => {
      app.get(
        '/x',
        { config: { edge: { ttlSeconds: 60 } } },
        async ({ headers }) => headers['accept-language'] ?? 'any',
      )
    })
    const any = await app.inject('/x')
    t.match(any.headers, { vary: 'accept-language' })
    const french = await app.inject({ url: '/x', headers: { 'accept-language': 'fr' } })
    t.equal(french.body, 'fr')
    t.match((await app.inject('/x')).headers, { 'cache-status': /hit/ })
  },
)
