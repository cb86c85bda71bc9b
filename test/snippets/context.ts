// What the examples of the documentation use without declaring it: `test/documentation-examples.test.ts` checks each against these
// globals. Outside the project's tsconfig.json, so that no other file sees them.
import type * as TypeBox from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type cachePlugin from 'fastify-vitrine/cache'
import type edgePlugin from 'fastify-vitrine/edge'
import type redisPlugin from 'fastify-vitrine/redis'

interface Offer {
  readonly goods: string[]
}

declare global {
  var app: FastifyInstance
  var request: FastifyRequest
  var reply: FastifyReply
  var redis: typeof redisPlugin
  var cache: typeof cachePlugin
  var edge: typeof edgePlugin
  var Type: typeof TypeBox.Type

  function fetchRates(signal?: unknown): Promise<Record<string, number>>
  function fetchSeller(): Promise<{ readonly id: string }>
  function fetchUser(id: string, signal: AbortSignal): Promise<{ readonly id: string }>
  function fetchNews(): Promise<string[]>
  function fetchPrices(): Promise<number[]>
  function fetchBasket(userId: string): Promise<string[]>
  function fetchOffer(name: string, signal: AbortSignal): Promise<Offer>
  function authenticate(request: FastifyRequest): Promise<string>
  function nextMidnight(): number
  class AccessDenied extends Error {}
}
