import { formatOutcomes, type Outcomes, searchLeaks, seedFor } from './run.js'
import { edgeSubject, proxySubject } from './subjects.js'

// `npm run test:clients`: random configurations and pairs of requests, many more than in the tests. `-- edge` or
// `-- proxy-cache` searches one of them.

const pairs = Number(process.env.CLIENTS_PAIRS ?? 200_000)
const seed = seedFor(Date.now() % 2 ** 31)

const [only] = process.argv.slice(2)

async function search(name: string, run: () => Promise<Outcomes>): Promise<void> {
  if (only !== undefined && only !== name) return
  try {
    console.log(`${name}: ${formatOutcomes(await run())}`)
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}

console.log(`CLIENTS_PAIRS=${pairs} CLIENTS_SEED=${seed}`)
const [edge, proxy] = [await edgeSubject(), proxySubject()]
await search('edge', () => searchLeaks({ ...edge, pairs, seed }))
await search('proxy-cache', () => searchLeaks({ ...proxy, pairs: Math.ceil(pairs / 4), seed }))
