// Whether memory stays flat. Method: the compiled server with the demo marketplace receives rounds of 10,000 mixed requests
// (panels as pages and fragments, JSON, filters, invalid input, unknown paths), eight at a time, for all 1,240 sellers. The
// resident set is read from /proc after each 2,000. The bounded cache fills in the first round. The later rounds must stay
// flat.
import { readFileSync } from 'node:fs'
import { startServer, timeGet } from './harness.js'

const requests = 10_000
const rounds = 4
const server = await startServer()
const { items } = JSON.parse((await timeGet(`${server.url}/api/v1/sellers?page_size=100`)).body)
const ids = items.map(({ id }) => id)

const kinds = [
  (n) => [`/panels/sellers?page=${1 + (n % 62)}`],
  (n) => [`/panels/sellers?page=${1 + (n % 62)}`, { 'hx-request': 'true' }],
  (n) => [`/api/v1/sellers?page=${1 + (n % 13)}&page_size=100`],
  (n) => [`/api/v1/sellers/${ids[n % ids.length]}/catalogs`],
  (n) => [`/panels/sellers/${ids[n % ids.length]}/events?page=${1 + (n % 3)}`],
  (n) => [`/api/v1/sellers?name=a${n % 50}`],
  (n) => [`/api/v1/sellers?page=${-n}`],
  (n) => [`/nowhere/${n}`],
]

console.log(`before: ${residentMb()} MB`)
for (let run = 1; run <= rounds; run += 1) {
  for (let done = 0; done < requests; done += 2_000) {
    let next = done
    const client = async () => {
      while (next < done + 2_000) {
        const n = next
        next += 1
        const [path, headers] = kinds[n % kinds.length](Math.floor(n / kinds.length))
        await timeGet(server.url + path, headers)
      }
    }
    await Promise.all(Array.from({ length: 8 }, client))
    console.log(`round ${run}, ${done + 2_000} requests: ${residentMb()} MB`)
  }
}
await server.stop()

function residentMb() {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))
  return Math.round(Number(kilobytes) / 1_024)
}
