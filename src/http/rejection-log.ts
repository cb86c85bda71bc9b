import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    rejections: Rejections
  }
}

/** Lines of each status in a minute. Further rejections are counted: a flood of requests is no flood of lines. */
const maxLines = 10
const minuteMs = 60_000

/** Counts rejected requests by status. */
export class Rejections {
  #counts = new Map<number, number>()

  /** Whether this one is logged with its details. */
  record(status: number): boolean {
    const count = (this.#counts.get(status) ?? 0) + 1
    this.#counts.set(status, count)
    return count <= maxLines
  }

  /** The number of those that were not logged, by status, and starts again; `undefined` if there were none. */
  takeUnlogged(): Readonly<Record<string, number>> | undefined {
    const counts = [...this.#counts].filter(([, count]) => count > maxLines)
    this.#counts = new Map()
    if (counts.length === 0) return undefined
    return Object.fromEntries(counts.map(([status, count]) => [status, count - maxLines]))
  }
}

/** Reports once a minute how many rejections were not logged. */
export default fp(rejectionLog, { name: 'rejection-log', fastify: '5.x' })

async function rejectionLog(app: FastifyInstance): Promise<void> {
  const rejections = new Rejections()
  app.decorate('rejections', rejections)
  const report = () => {
    const byStatus = rejections.takeUnlogged()
    if (byStatus !== undefined) app.log.info({ byStatus }, 'more requests rejected')
  }
  const timer = setInterval(report, minuteMs).unref()
  app.addHook('onClose', async () => {
    clearInterval(timer)
    report()
  })
}
