import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import { LiveStreams } from '../../../../src/ops/cache/live-streams.js'

t.test('a render error fails its own request only', async (t) => {
  const app = Fastify()
  const streams = new LiveStreams()
  app.addHook('onSend', async () => nextTurn()) // the stream fails before Fastify reads it
  app.get('/', (_, reply) => {
    return reply.send(
      streams.open(reply.raw, async () => {
        throw new Error('no template')
      }),
    )
  })
  for (let count = 0; count < 40; count += 1) t.equal((await app.inject('/')).statusCode, 500)
  t.notOk(streams.isFull)
})

t.test('a stream is dropped when another payload replaces it', async (t) => {
  const app = Fastify()
  const streams = new LiveStreams()
  app.addHook('onSend', async (_, __, payload) => {
    if (typeof payload === 'object') throw new Error('a hook fails')
  })
  app.get('/', (_, reply) => reply.send(streams.open(reply.raw, async () => 'numbers')))
  for (let count = 0; count < 40; count += 1) t.equal((await app.inject('/')).statusCode, 500)
  t.notOk(streams.isFull)
})
