// The marketplace on its own: `npm run demo:upstream`, on HOST and PORT (127.0.0.1 and 4000 unless set).
import { closeOnSignals } from '../shutdown.js'
import { startMarketplace } from './marketplace.js'

const host = process.env.HOST || '127.0.0.1'
const port = process.env.PORT || '4000'
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
  refuse(`PORT must be a whole number from 0 to 65535, not "${port}"`)

try {
  const marketplace = await startMarketplace({ host, port: Number(port) })
  closeOnSignals({
    deadlineMs: 5_000,
    async close(reason) {
      if ('error' in reason) console.error(reason.error)
      await marketplace.close()
    },
  })
  console.log(`The demo marketplace listens on ${marketplace.url}`)
} catch (error) {
  refuse(`the demo marketplace cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : error}`)
}

function refuse(message: string): never {
  console.error(message)
  process.exit(1)
}
