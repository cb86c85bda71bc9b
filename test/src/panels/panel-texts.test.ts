import t from 'tap'
import { browse } from '../../harness/browse.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { find, headersIn, isPage, rowNames, tagsOf } from '../../harness/html.js'
import { type Fault, makeSellers } from '../../harness/upstream.js'

// Texts of the panels: languages, days, ages, reasons.

const fragment = { 'hx-request': 'true' }

const sellersPanel = '/panels/sellers'
const eventsPanel = '/panels/sellers/7/events'

const inFrench = { 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.8' }

t.test('pages, panels and problems are in the requested language, cached separately, and state it', async (t) => {
  const { open, upstream } = await browse(t)
  const urls = ['/', sellersPanel, `${sellersPanel}?seller_id=7`, eventsPanel, `${eventsPanel}?page=99`]
  for (const url of [...urls, ...urls, `${eventsPanel}?page=0`, '/panels/nothing']) {
    for (const headers of [{}, fragment]) {
      const [english, french] = [await open(url, headers), await open(url, { ...headers, ...inFrench })]
      t.equal(english.headers['content-language'], 'en', url)
      t.equal(french.headers['content-language'], 'fr', url)
      t.ok(headersIn(french.headers.vary).includes('accept-language'), `${url} varies by it`)
      if (isPage(french.body)) t.equal(find(french.body, ({ name }) => name === 'html').attributes.lang, 'fr')
      t.not(french.body, english.body)
      t.notMatch(french.body, /\b(Search|Sellers|upcoming|Next|Please|must be)\b/, `${url}: no English text`)
      const { headers: again } = await open(url, { ...headers, 'accept-language': 'fr-CH' })
      if (french.statusCode === 200) t.match(again['cache-status'], /hit/, `${url}: a region is no other page`)
    }
  }
  upstream.fail({ status: 500 })
  const { body } = await open(`${sellersPanel}?name=x`, { ...fragment, ...inFrench })
  t.match(body, /Erreur 502/)
  t.match(body, /Réessayer/)
})

t.test('the JSON API and its problems are the same in every language', async (t) => {
  const { open } = await browse(t)
  for (const url of ['/api/v1/sellers', '/api/v1/sellers?page=0']) {
    const [plain, french] = [await open(url), await open(url, inFrench)]
    const { request_id: _, ...english } = plain.json()
    const { request_id: __, ...asked } = french.json()
    t.strictSame(asked, english)
    t.notOk(headersIn(french.headers.vary).includes('accept-language'), url)
  }
})

t.test('events are listed by month and day, with how soon they start', async (t) => {
  const { open } = await browse(t, {
    now: createClock('2026-03-30T12:00:00Z').now,
    upstream: {
      sellers: makeSellers(7),
      catalogs: [
        { id: 1, seller_id: 7, title: 'Today', start_date: '2026-03-30' },
        { id: 2, seller_id: 7, title: 'Tomorrow', start_date: '2026-03-31T18:00:00Z' },
        { id: 3, seller_id: 7, title: 'Also tomorrow', start_date: '2026-03-31T19:00:00Z' },
        { id: 4, seller_id: 7, title: 'Soon', start_date: '2026-04-02' },
        { id: 5, seller_id: 7, title: 'Far', start_date: '2026-06-01' },
      ],
    },
  })
  const headings = (body: string) =>
    tagsOf(body)
      .filter(({ name, attributes }) => name === 'h3' || /^(weekday|number|relative-day)$/.test(attributes.class ?? ''))
      .map(({ text }) => text)
  t.strictSame(headings((await open(eventsPanel)).body), [
    ...['March 2026', 'Monday', '30', 'starts today', 'Tuesday', '31', 'starts tomorrow'],
    ...['April 2026', 'Thursday', '2', 'starts in 3 days', 'June 2026', 'Monday', '1'],
  ])
  t.strictSame(headings((await open(eventsPanel, inFrench)).body), [
    ...['mars 2026', 'lundi', '30', 'commence aujourd’hui', 'mardi', '31', 'commence demain'],
    ...['avril 2026', 'jeudi', '2', 'commence dans 3 jours', 'juin 2026', 'lundi', '1'],
  ])
})

t.test('"starts tomorrow" expires at midnight in cached, stale and open pages', async (t) => {
  const clock = createClock('2026-03-10T22:30:00Z') // half an hour before midnight in Paris
  const catalogs = [
    { id: 1, seller_id: 7, title: 'Sale', start_date: '2026-03-11' },
    { id: 2, seller_id: 7, title: 'Past by then', start_date: '2026-03-10' },
  ]
  const { open, upstream } = await browse(t, {
    now: clock.now,
    upstream: { sellers: makeSellers(7), catalogs },
    environment: { CATALOG_TIME_ZONE: 'Europe/Paris', CACHE_TTL_SECONDS: '86400' },
  })
  const relativeDays = async (headers: Record<string, string>) => {
    const { body } = await open(eventsPanel, headers)
    return tagsOf(body).flatMap(({ attributes, text }) => (attributes.class === 'relative-day' ? text : []))
  }
  const evening = await open(eventsPanel)
  t.equal(
    find(evening.body, ({ attributes }) => attributes.id === 'events').attributes['data-relative-days-until'],
    '2026-03-10T23:00:00.000Z',
    'the page states when it expires',
  )
  for (const headers of [{}, fragment]) t.strictSame(await relativeDays(headers), ['starts today', 'starts tomorrow'])
  clock.set('2026-03-10T22:59:59Z')
  const last = await open(eventsPanel)
  t.match(last.headers['cache-status'], /hit/)
  const maxAge = Number(/max-age=(\d+)/.exec(String(last.headers['cache-control']))?.[1])
  t.ok(maxAge - Number(last.headers.age) <= 1, 'no browser cache stores it into the next day')

  upstream.fail({ status: 500 }) // after midnight only the stale list is available
  clock.set('2026-03-10T23:00:00Z')
  for (const headers of [{}, fragment]) t.strictSame(await relativeDays(headers), ['starts today'])
  t.match((await open(eventsPanel)).body, /As of <time[^>]*>10 March 2026, 23:30<\/time>/)
})

t.test('a stale panel shows its age in the time zone of the catalog, and the reason', async (t) => {
  const clock = createClock('2026-03-10T13:02:00Z')
  const { open, upstream } = await browse(t, { now: clock.now, environment: { CATALOG_TIME_ZONE: 'Europe/Paris' } })
  const notice = async (headers: Record<string, string> = {}) =>
    /<p class="notice">(.*?)<\/p>/.exec((await open(sellersPanel, { ...fragment, ...headers })).body)?.[1]
  t.equal(await notice(), undefined)
  clock.step(310)
  const held = createDeferred<Fault>()
  upstream.fail(() => held.promise)
  const asOf = '<time datetime="2026-03-10T13:02:00.000Z">14:02</time> (Europe/Paris).'
  t.equal(await notice(), `As of ${asOf} A newer list is being loaded.`, 'during a refresh')
  held.resolve({ status: 500 })
  upstream.fail({ status: 500 })
  clock.step(400)
  t.equal(await notice(), `As of ${asOf} The marketplace is not responding.`)
  t.equal(await notice(inFrench), `Dernier état\u00a0: ${asOf} La place de marché ne répond pas.`)
})

t.test('an empty list says why', async (t) => {
  const { open } = await browse(t)
  await open('/')
  const emptyOf = (body: string) => /<div class="empty">\s*<p>(.*?)<\/p>/s.exec(body)?.[1]
  const cases: [url: string, says: string, leadsTo: string | undefined][] = [
    ['/panels/sellers/8/events', 'No upcoming events. Past events are not shown.', undefined],
    ['/panels/sellers/unknown/events', 'The marketplace has no seller with this ID.', undefined],
    [`${eventsPanel}?title=zzz&list_page=2`, 'No upcoming event has this in its title.', `${eventsPanel}?list_page=2`],
    [`${eventsPanel}?page=9`, 'The list has 2 pages only.', `${eventsPanel}?page=2`],
    [`${sellersPanel}?name=zzz&seller_id=7`, 'No seller matches this search.', `${sellersPanel}?seller_id=7`],
    [`${sellersPanel}?page=9&page_size=50`, 'The list has only one page.', `${sellersPanel}?page_size=50`],
  ]
  for (const [url, says, leadsTo] of cases) {
    const { body } = await open(url, fragment)
    t.equal(emptyOf(body), says, url)
    const link = tagsOf(body).find(({ attributes }) => attributes.class === 'button')
    t.equal(link?.attributes.href, leadsTo, url)
    const hasSearch = /<form/.test(body)
    t.equal(hasSearch, !url.includes('unknown'), `${url} is searched only where there may be something`)
    if (leadsTo !== undefined) t.ok(rowNames((await open(leadsTo, fragment)).body).length > 0)
  }
  const { open: openEmpty } = await browse(t, { upstream: {} })
  t.equal(emptyOf((await openEmpty('/')).body), 'The marketplace has no sellers yet.')
})

t.test('heading levels are not skipped, and every landmark has a name', async (t) => {
  const { open } = await browse(t)
  for (const url of ['/', `${sellersPanel}?page=9`, eventsPanel, `${eventsPanel}?title=zzz`, '/panels/nothing']) {
    const tags = tagsOf((await open(url)).body)
    const levels = tags.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? Number(name.slice(1)) : []))
    t.equal(levels.filter((level) => level === 1).length, 1, `${url} has one first heading`)
    t.notOk(
      levels.some((level, index) => level > (levels[index - 1] ?? 0) + 1),
      `${url}: ${levels}`,
    )
    for (const { name, attributes } of tags) {
      if (!/^(nav|form)$/.test(name)) continue
      t.ok(attributes['aria-label'], `${name} on ${url}`)
    }
  }
})
