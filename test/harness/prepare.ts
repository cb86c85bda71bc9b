// Run by `npm test` before the tests: what they need from the machine is here, or is told in one line.
import { ensureRedisServer } from './redis-server.js'

try {
  ensureRedisServer()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
