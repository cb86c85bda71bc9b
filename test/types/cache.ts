// What the types promise to those who call the cache. Checked by `npm run typecheck`, with our compiler and with TypeScript 5,
// which many who install the plugins have: a line marked as an error that compiles is an error itself. Nothing here runs.
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Reading } from 'fastify-vitrine/cache'

declare const app: FastifyInstance
const Names = Type.Array(Type.String())

export async function inferred(): Promise<void> {
  const plain: number = await app.cache.fetch('k', () => 1)
  const awaited: string = await app.cache.fetch('k', async () => 'text')
  const checked: string[] = await app.cache.fetch('k', () => ['a'], { schema: Names })
  const looked: string[] | undefined = await app.cache.get('k', { schema: Names })
  const reading: Reading<string[]> = await app.cache.read('k', () => ['a'], { schema: Names })
  const kept: boolean = await app.cache.set('k', { any: 'JSON' }, { ttlSeconds: 60, tags: ['t'] })
  void [plain, awaited, checked, looked, reading.state, kept]
}

export async function refused(): Promise<void> {
  // @ts-expect-error a loader has to give what its schema says
  await app.cache.fetch('k', () => 1, { schema: Names })
  // @ts-expect-error a lifetime says its unit
  await app.cache.set('k', 1, { ttl: 60 })
  // @ts-expect-error tags are a list
  await app.cache.set('k', 1, { tags: 'sellers' })
  // @ts-expect-error nobody knows what is under a key
  const guess: string = await app.cache.get('k')
  // @ts-expect-error a reading cannot be changed
  ;(await app.cache.read('k', () => 1)).value = 2
  void guess
}
