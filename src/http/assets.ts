import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

const ownAssets = fileURLToPath(new URL('../../templates/assets/', import.meta.url))
const htmx = createRequire(import.meta.url).resolve('htmx.org/dist/htmx.min.js')

/** A static file of the pages. */
class Asset {
  readonly path: string
  readonly type: string
  readonly bytes: Buffer
  /** URL with a content hash, so that browsers may cache it for a year. */
  readonly url: string

  constructor(path: string, type: string, file: string) {
    this.path = path
    this.type = type
    this.bytes = readFileSync(file)
    const version = createHash('sha256').update(this.bytes).digest('hex').slice(0, 10)
    this.url = `${path}?v=${version}`
  }
}

const script = 'text/javascript; charset=utf-8'

export const assets = {
  style: new Asset('/assets/vitrine.css', 'text/css; charset=utf-8', `${ownAssets}vitrine.css`),
  script: new Asset('/assets/vitrine.js', script, `${ownAssets}vitrine.js`),
  operator: new Asset('/assets/operator.js', script, `${ownAssets}operator.js`),
  icon: new Asset('/assets/vitrine.svg', 'image/svg+xml', `${ownAssets}vitrine.svg`),
  htmx: new Asset('/assets/htmx/htmx.min.js', script, htmx),
}

/** Serves the assets, cached by the edge. */
export default fp(serveAssets, { name: 'assets', fastify: '5.x', dependencies: ['fastify-vitrine/edge'] })

async function serveAssets(app: FastifyInstance): Promise<void> {
  // Every `v` gets the current file: one edge key per asset.
  const schema = { hide: true, querystring: { type: 'object', properties: {} } }
  for (const { path, type, bytes } of Object.values(assets)) {
    app.get(
      path,
      { schema, config: { rateLimit: false, edge: { ttlSeconds: 31_536_000, ignoreCredentials: true } } },
      (_request, reply) => reply.type(type).header('cache-control', 'public, max-age=31536000, immutable').send(bytes),
    )
  }
}
