// Reads the JSON API as a mobile app would. With the service running (npm start):
//   node --import=./test/harness/typescript.js examples/mobile-client.ts http://127.0.0.1:3000 etude
import { createClient, explain, noticeOf } from './api/client.js'

const [, , baseUrl = 'http://127.0.0.1:3000', name = ''] = process.argv
const client = createClient(baseUrl)

try {
  for (const round of ['first', 'second']) {
    for await (const { listing, isNotModified } of client.sellers({ name, page_size: 100 })) {
      const { page, pages, items, total } = listing
      const notice = noticeOf(listing)
      if (notice !== undefined) console.log(notice)
      console.log(
        `${round} time, page ${page} of ${pages}: ${items.length} of ${total} sellers${isNotModified ? ', not modified' : ''}`,
      )
    }
  }
} catch (error) {
  console.log(explain(error))
  process.exitCode = 1
}
