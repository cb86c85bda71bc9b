// `npm run demo:upstream`: the demo marketplace alone, on HOST and PORT (default 127.0.0.1:4000).
import { closeOnSignals } from '../process/shutdown.js'
import { startDemoMarketplace } from './marketplace.js'

const host = process.env.HOST || '127.0.0.1'
const port = process.env.PORT || '4000'
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
  exitWith(`PORT must be an integer between 0 and 65535, not "${port}"`)

try {
  const marketplace = await startDemoMarketplace({ host, port: Number(port) })
  closeOnSignals({
    deadlineMs: 5_000,
    async close(reason) {
      if ('error' in reason) console.error(reason.error)
      await marketplace.close()
    },
  })
  console.log(`Demo marketplace listening at ${marketplace.url}`)
} catch (error) {
  exitWith(`the demo marketplace cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : error}`)
}

function exitWith(message: string): never {
  console.error(message)
  process.exit(1)
}
