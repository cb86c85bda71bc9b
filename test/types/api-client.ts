// The types generated from /docs/json, as a client uses them. `npm run typecheck` and the tests check them. A line that is marked
// as an error and compiles is an error. Nothing here runs.
import { type CatalogListing, createClient, type Problem } from '../../examples/api/client.js'

declare const catalogs: CatalogListing
declare const problem: Problem
const client = createClient('http://127.0.0.1:3000')

export async function inferred(): Promise<void> {
  for await (const { listing } of client.sellers({ name: 'etude', page_size: 100 })) {
    const [first] = listing.items
    const id: string | number | undefined = first?.id
    const asOf: string | undefined = listing.as_of
    void [id, asOf]
  }
  const starts: (string | null)[] = catalogs.items.map(({ start_date }) => start_date)
  const fields: string[] | undefined = problem.errors?.map(({ field }) => field)
  void [starts, fields]
}

export function refused(): void {
  // @ts-expect-error catalogs have a title and no name
  void catalogs.items[0]?.name
  // @ts-expect-error `stale` is true or missing
  void (catalogs.stale === false)
  // @ts-expect-error sellers are filtered by name
  client.sellers({ title: 'etude' })
  // @ts-expect-error pages are numbers
  client.sellers({ page: 'two' })
  // @ts-expect-error catalogs require a seller id
  client.catalogs()
  // @ts-expect-error not every problem has a code
  const code: string = problem.code
  void code
}
