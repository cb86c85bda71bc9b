// Run by `npm test` before the tests. Installs Redis if it is missing, or fails with a hint.
import { ensureRedisServer } from './redis-server.js'

try {
  ensureRedisServer()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
