import { createHash } from 'node:crypto'
import t from 'tap'
import { browse } from '../../harness/browse.js'
import { createClock } from '../../harness/clock.js'
import { createDeferred } from '../../harness/deferred.js'
import { byId, find, hasId, headersIn, isPage, rowNames, type Tag, tagsOf } from '../../harness/html.js'
import { until } from '../../harness/until.js'
import { type Fault, makeSellers } from '../../harness/upstream.js'

// Pages, and the fragments that htmx swaps into them.

const fragment = { 'hx-request': 'true' }
const restored = { 'hx-request': 'true', 'hx-history-restore-request': 'true' }

const sellersPanel = '/panels/sellers'
const eventsPanel = '/panels/sellers/7/events'

t.test('a URL is a page for browsers, a fragment for htmx, and a page for its history', async (t) => {
  const { open } = await browse(t)
  for (const [url, id] of [
    ['/', 'sellers'],
    [sellersPanel, 'sellers'],
    [`${sellersPanel}?page=2&seller_id=7`, 'sellers'],
    [eventsPanel, 'events'],
    [`${eventsPanel}?title=sale`, 'events'],
  ] as const) {
    await t.test(url, async (t) => {
      for (const [headers, expectsPage] of [
        [{}, true],
        [{ 'hx-request': 'false' }, true],
        [{ 'hx-history-restore-request': 'true' }, true],
        [restored, true],
        [fragment, false],
        [{ ...fragment, 'hx-history-restore-request': 'false' }, false],
      ] as const) {
        const { statusCode, headers: answered, body } = await open(url, headers)
        t.equal(statusCode, 200)
        t.match(answered['content-type'], /^text\/html; charset=utf-8/)
        t.equal(isPage(body), expectsPage, JSON.stringify(headers))
        t.ok(hasId(body, id))
        if (expectsPage) t.ok(hasId(body, 'sellers') && hasId(body, 'events'), 'a page has both panels')
        else t.match(body.trim(), new RegExp(`^<section id="${id}".*</section>$`, 's'), 'only the panel')
      }
    })
  }
})

t.test('Vary lists both headers of htmx in every response', async (t) => {
  const { open, upstream } = await browse(t, { environment: { RATE_LIMIT_MAX: '30' } })
  const urls = ['/', sellersPanel, eventsPanel]
  const wrong = ['/?page=0', `${sellersPanel}?page=0`, `${eventsPanel}?page=0`, '/panels/nothing']
  const down = [`${sellersPanel}?name=x`, `${eventsPanel}?title=x`]

  const answers: [url: string, headers: Record<string, string>, status: number][] = []
  const variants = [{}, fragment, restored]
  for (const headers of variants) for (const url of urls) answers.push([url, headers, 200])
  for (const headers of variants)
    for (const url of wrong) answers.push([url, headers, url === '/panels/nothing' ? 404 : 400])
  for (const headers of variants) for (const url of down) answers.push([url, headers, 502])
  for (const headers of variants) for (const url of urls) answers.push([url, headers, 429])

  for (const [url, headers, status] of answers) {
    if (status === 502) upstream.fail({ status: 500 })
    if (status === 429) for (let count = 0; count < 5; count += 1) await open(url, headers)
    const answer = await open(url, headers)
    t.equal(answer.statusCode, status, `${status} of ${url} for ${JSON.stringify(headers)}`)
    const names = headersIn(answer.headers.vary)
    t.ok(names.includes('hx-request') && names.includes('hx-history-restore-request'), `Vary: ${answer.headers.vary}`)
  }
})

t.test(
  'an error has the same status as a page and as a fragment, and the fragment has the id of its panel',
  async (t) => {
    const patient = await browse(t)
    const impatient = await browse(t, { environment: { UPSTREAM_TIMEOUT_MS: '50' } })
    const cases: [url: string, id: string, status: number, fault?: Fault][] = [
      [`${sellersPanel}?page=0`, 'sellers', 400],
      ['/?page_size=101', 'sellers', 400],
      [`${sellersPanel}?page=0&name=/events`, 'sellers', 400],
      [`${sellersPanel}?seller_id=/events`, 'sellers', 400],
      [`${eventsPanel}?page=0`, 'events', 400],
      ['/panels/sellers/a.b/events', 'events', 400],
      [`${sellersPanel}?name=x`, 'sellers', 502, { status: 500 }],
      [`${sellersPanel}?name=x`, 'sellers', 503, { destroy: 'at once' }],
      [`${eventsPanel}?title=x`, 'events', 502, { body: 'invalid' }],
      [`${eventsPanel}?title=x`, 'events', 504, { hang: 'at once' }],
    ]
    for (const [url, id, status, fault] of cases) {
      await t.test(`${status} of ${url}`, async (t) => {
        const { open, upstream } = fault?.hang === undefined ? patient : impatient
        upstream.heal()
        if (fault !== undefined) upstream.fail(fault)
        const page = await open(url)
        t.equal(page.statusCode, status)
        t.ok(isPage(page.body))

        const panel = await open(url, fragment)
        t.equal(panel.statusCode, status)
        t.match(panel.headers['content-type'], /^text\/html/)
        t.match(panel.body.trim(), new RegExp(`^<section id="${id}".*</section>$`, 's'), 'for later swaps')
        t.equal(tagsOf(panel.body).filter(({ attributes }) => attributes.id === id).length, 1)

        for (const { body } of [page, panel]) {
          t.ok(body.includes(`Error ${status}`), 'with the status')
          t.ok(
            tagsOf(body).some(({ attributes }) => attributes.role === 'alert'),
            'also for screen readers',
          )
          t.equal(
            tagsOf(body).some(({ name, attributes }) => name === 'a' && attributes.href === url),
            status >= 500,
            'with a retry link where that may help',
          )
        }
      })
    }
  },
)

t.test('invalid input is reported by field name', async (t) => {
  const { open } = await browse(t)
  for (const headers of [{}, fragment]) {
    const { body } = await open(`${eventsPanel}?page=0&list_page_size=101`, headers)
    const fields = tagsOf(body).filter(({ name }) => name === 'code')
    t.ok(fields.some(({ text }) => text === 'page'))
    t.ok(fields.some(({ text }) => text === 'list_page_size'))
  }
})

const hostile = [
  '<script>alert(1)</script>',
  '"onmouseover=alert(1) x="',
  "'onmouseover=alert(1) x='",
  '</title><img src=x onerror=alert(1)>',
  '</section></main>',
  '&lt;b&gt; & &amp;',
  '<!--',
  '<%= 1 + 1 %>',
  '{{1 + 1}}',
]

/** The structure of a page: tags with attribute names. */
function skeleton(html: string): string[] {
  return tagsOf(html).map(({ name, attributes }) => `${name} ${Object.keys(attributes).join(' ')}`)
}

/** The structure of the rows of a panel. */
function rowsOf(html: string): string[] {
  return skeleton(/<ul class="rows">.*<\/ul>/s.exec(html)?.[0] ?? '')
}

t.test('upstream data are text wherever they are shown', async (t) => {
  const saying = (texts: readonly string[]) => ({
    sellers: texts.map((text, index) => ({ id: `seller-${index}`, name: text, customer_display_id: text })),
    catalogs: texts.flatMap((text, index) => [
      { id: text, seller_id: `seller-${index}`, title: text, customer_catalog_id: text, start_date: '2030-01-01' },
      { id: 'undated', seller_id: `seller-${index}`, title: text, start_date: text },
    ]),
  })
  const plain = await browse(t, { upstream: saying(hostile.map(() => 'plain')) })
  const nasty = await browse(t, { upstream: saying(hostile) })
  for (const [index, text] of hostile.entries()) {
    await t.test(text, async (t) => {
      const events = `/panels/sellers/seller-${index}/events?list_page_size=1&list_page=${index + 1}`
      for (const url of [`${sellersPanel}?page_size=1&page=${index + 1}&seller_id=seller-${index}`, events]) {
        for (const headers of [{}, fragment]) {
          const [expected, { body }] = [await plain.open(url, headers), await nasty.open(url, headers)]
          t.strictSame(skeleton(body), skeleton(expected.body), `${url} ${JSON.stringify(headers)}`)
        }
      }
      const { body } = await nasty.open(events)
      t.strictSame(rowNames(body), [text, text], 'shown unchanged in both panels')
      t.equal(byId(body, 'events-heading').text, text)
      t.equal(byId(body, 'events-results').attributes['data-title'], text)
      t.equal(find(body, ({ name }) => name === 'title').text, `${text} · Vitrine`)
    })
  }
})

t.test('a seller with an id that is not valid in a URL is listed without a link, also a hostile one', async (t) => {
  const ids = ['no address', ...hostile]
  const { open } = await browse(t, { upstream: { sellers: ids.map((id) => ({ id, name: 'Seller' })) } })
  for (const [index, id] of ids.entries()) {
    for (const headers of [{}, fragment]) {
      const expected = await open('/?page_size=1', headers)
      const { body } = await open(`/?page_size=1&page=${index + 1}`, headers)
      t.strictSame(rowsOf(body), rowsOf(expected.body), id)
      t.notOk(tagsOf(body).some(({ attributes }) => 'data-seller' in attributes))
      t.ok(tagsOf(body).some(({ text }) => text === `id ${id}`))
    }
  }
})

t.test('filters are shown as text', async (t) => {
  const { open } = await browse(t)
  for (const text of hostile) {
    const typed = encodeURIComponent(text)
    for (const [url, plain] of [
      [`${sellersPanel}?name=${typed}&customer_display_id=${typed}`, `${sellersPanel}?name=x&customer_display_id=x`],
      [`${eventsPanel}?title=${typed}&list_name=${typed}`, `${eventsPanel}?title=x&list_name=x`],
      [`${sellersPanel}?page=${typed}`, `${sellersPanel}?page=x`],
      [`/panels/${typed}`, '/panels/x'],
    ] as const) {
      for (const headers of [{}, fragment]) {
        const [answer, expected] = [await open(url, headers), await open(plain, headers)]
        t.equal(answer.statusCode, expected.statusCode)
        t.strictSame(skeleton(answer.body), skeleton(expected.body), url)
      }
    }
    const { body } = await open(`${sellersPanel}?name=${typed}`, fragment)
    t.equal(find(body, ({ attributes }) => attributes.name === 'name').attributes.value, text)
  }
})

t.test('every stored field is shown', async (t) => {
  const { open } = await browse(t, {
    upstream: {
      sellers: [
        { id: 7, name: 'Maison Dupont', customer_display_id: 'C-77' },
        { id: 'x-8', name: 'No number', customer_display_id: null },
      ],
      catalogs: [
        { id: 901, seller_id: 7, title: 'Wine', customer_catalog_id: 42, start_date: '2030-01-05' },
        {
          id: 'k-902',
          seller_id: 7,
          title: 'Books',
          customer_catalog_id: null,
          start_date: '2030-02-06T18:30:00+02:00',
        },
      ],
    },
    environment: { CATALOG_TIME_ZONE: 'Europe/Paris' },
  })
  for (const headers of [{}, fragment]) {
    const sellers = tagsOf((await open(sellersPanel, headers)).body).map(({ text }) => text)
    for (const text of ['Maison Dupont', 'C-77', 'id 7', 'No number', 'id x-8']) t.ok(sellers.includes(text), text)
    t.notOk(sellers.includes('null'), 'missing numbers are not shown')

    const { body } = await open(eventsPanel, headers)
    const texts = tagsOf(body).map(({ text }) => text)
    for (const text of ['Wine', '42', 'id 901', 'Books', 'id k-902', 'Maison Dupont', 'C-77', 'id 7']) {
      t.ok(texts.includes(text), text)
    }
    t.notOk(texts.includes('null'))
    t.strictSame(
      tagsOf(body)
        .filter(({ name }) => name === 'time')
        .map(({ attributes }) => attributes.datetime),
      ['2030-01-05', '2030-02-06', '2030-02-06T16:30:00.000Z'],
      'machine-readable days and times',
    )
    t.ok(texts.includes('17:30'), 'text in the time zone of the catalog')
    for (const text of ['January 2030', 'Saturday', '5', 'February 2030', 'Wednesday', '6']) {
      t.ok(texts.includes(text), text)
    }
    t.match(body, /Europe\/Paris/)
  }
})

t.test('only upcoming events are listed, soonest first, also with a filter', async (t) => {
  const { open } = await browse(t, {
    now: createClock('2026-03-10T12:00:00Z').now,
    upstream: {
      sellers: makeSellers(7),
      catalogs: [
        { id: 1, seller_id: 7, title: 'Sale late', start_date: '2026-05-01' },
        { id: 2, seller_id: 7, title: 'Sale past', start_date: '2026-03-09' },
        { id: 3, seller_id: 7, title: 'Sale soon', start_date: '2026-03-11' },
        { id: 4, seller_id: 7, title: 'Sale undated', start_date: null },
        { id: 5, seller_id: 7, title: 'Sale today', start_date: '2026-03-10' },
      ],
    },
  })
  for (const query of ['', '?title=sale']) {
    t.strictSame(rowNames((await open(`${eventsPanel}${query}`, fragment)).body), [
      'Sale today',
      'Sale soon',
      'Sale late',
    ])
  }
})

t.test('the complete list of sellers is reachable by links without JavaScript', async (t) => {
  const { open } = await browse(t)
  const names: string[] = []
  let url: string | undefined = `${sellersPanel}?page_size=10`
  while (url !== undefined) {
    const { body } = await open(url)
    names.push(...rowNames(body))
    url = tagsOf(body).find(({ attributes }) => attributes.rel === 'next')?.attributes.href
  }
  t.strictSame(
    names,
    makeSellers(45).map(({ name }) => name),
  )
})

t.test('everything that htmx requests works without it: links have an href, forms an action', async (t) => {
  const { open } = await browse(t)
  for (const url of [
    '/',
    `${sellersPanel}?page=2&seller_id=7&name=seller`,
    `${eventsPanel}?page=2&title=sale`,
    `${eventsPanel}?list_page=2`,
  ]) {
    const { body } = await open(url)
    const live = tagsOf(body).filter(({ attributes }) =>
      Object.keys(attributes).some((name) => name.startsWith('hx-get')),
    )
    t.ok(live.length > 0)
    const addresses = live.map(({ name, attributes }) => (name === 'form' ? attributes.action : attributes.href))
    for (const address of new Set(addresses)) {
      t.equal((await open(address ?? '/nothing')).statusCode, 200, `${address} on ${url}`)
    }
    for (const { attributes } of live) {
      t.ok(hasId(body, attributes['hx-target']?.slice(1) ?? ''), `${attributes['hx-target']} exists`)
      t.equal((await open(attributes['hx-get'] ?? '/nothing', fragment)).statusCode, 200)
    }
  }
})

t.test('links carry the state of the list: to the events, to their next page, and back', async (t) => {
  const { open } = await browse(t)
  await open('/')
  const list = await open(`${sellersPanel}?page=2&page_size=5&name=seller`)
  const seller = find(list.body, ({ attributes }) => attributes['data-seller'] === '7')
  const events = await open(seller.attributes.href ?? '')
  t.equal(byId(events.body, 'events-heading').text, 'Seller 0007')
  t.equal(find(events.body, ({ attributes }) => attributes['data-seller'] === '7').attributes['aria-current'], 'true')
  t.strictSame(rowNames(events.body).slice(0, 5), rowNames(list.body), 'next to the same page of the list')

  const next = tagsOf(events.body).filter(({ attributes }) => attributes.rel === 'next')[1]
  const second = await open(next?.attributes.href ?? '')
  t.strictSame(rowNames(second.body).slice(0, 5), rowNames(list.body))
  t.equal(rowNames(second.body)[5], 'Sale 0021')

  const back = find(second.body, ({ attributes }) => attributes.class === 'back')
  t.strictSame(rowNames((await open(back.attributes.href ?? '')).body), rowNames(list.body))
})

t.test('paging the list keeps the open events', async (t) => {
  const { open } = await browse(t)
  await open('/')
  const { body } = await open(`${sellersPanel}?seller_id=7&page_size=5&name=seller`)
  const next = find(body, ({ attributes }) => attributes.rel === 'next')
  const second = await open(next.attributes.href ?? '')
  t.equal(byId(second.body, 'events-heading').text, 'Seller 0007')
  t.strictSame(rowNames(second.body).slice(0, 5), [
    'Seller 0006',
    'Seller 0007',
    'Seller 0008',
    'Seller 0009',
    'Seller 0010',
  ])
})

/** The URL that a browser without JavaScript requests when it submits the form. */
function sent(html: string, formId: string): string {
  const tags = tagsOf(html)
  const start = tags.findIndex(({ name, attributes }) => name === 'form' && attributes.id === formId)
  const button = tags.findIndex(({ name }, index) => index > start && name === 'button')
  const fields = tags.filter(
    ({ name, attributes }, index) =>
      name === 'input' && ((index > start && index < button) || attributes.form === formId),
  )
  const query = new URLSearchParams()
  for (const { attributes } of fields) query.append(attributes.name ?? '', attributes.value ?? '')
  return `${tags[start]?.attributes.action}?${query}`
}

t.test('forms work without JavaScript and keep the state of the other panel', async (t) => {
  const { open } = await browse(t)
  const { body } = await open(
    `${eventsPanel}?page_size=5&title=sale%20000&list_page=2&list_page_size=10&list_name=seller`,
  )

  const events = new URL(sent(body, 'events-filter'), 'http://vitrine')
  t.equal(events.pathname, eventsPanel)
  t.strictSame(Object.fromEntries(events.searchParams), {
    title: 'sale 000',
    page_size: '5',
    list_page: '2',
    list_page_size: '10',
    list_name: 'seller',
  })
  const sellers = new URL(sent(body, 'sellers-filter'), 'http://vitrine')
  t.equal(sellers.pathname, sellersPanel)
  t.strictSame(Object.fromEntries(sellers.searchParams), {
    name: 'seller',
    customer_display_id: '',
    page_size: '10',
    seller_id: '7',
  })
  for (const { pathname, search } of [events, sellers]) t.equal((await open(`${pathname}${search}`)).statusCode, 200)
})

t.test('the page of a selected seller shows its events next to the list', async (t) => {
  const { open } = await browse(t)
  for (const url of ['/?seller_id=7', `${sellersPanel}?seller_id=7`]) {
    const { body } = await open(url)
    t.equal(byId(body, 'events-heading').text, 'Seller 0007')
    t.ok(rowNames(body).includes('Seller 0001') && rowNames(body).includes('Sale 0001'))
    t.equal(
      tagsOf(body).filter(({ attributes }) => 'aria-current' in attributes && 'data-seller' in attributes).length,
      1,
    )
  }
  const { body } = await open(sellersPanel)
  t.equal(byId(body, 'events-heading').text, 'Upcoming events', 'no events without a selected seller')
  t.match(body, /Select a seller/)
})

t.test('the heading of the events has the seller’s name also while the list is stale', async (t) => {
  const clock = createClock()
  const { open, upstream } = await browse(t, { now: clock.now })
  await open(eventsPanel)
  clock.step(400)
  upstream.fail({ status: 500 })
  for (const headers of [{}, fragment]) {
    t.equal(byId((await open(eventsPanel, headers)).body, 'events-heading').text, 'Seller 0007')
  }
})

t.test(
  'the heading of the events has the seller’s name when only the filtered list next to it has the seller',
  async (t) => {
    const { open } = await browse(t)
    for (const url of [`${sellersPanel}?name=seller&seller_id=7`, `${eventsPanel}?list_name=seller`]) {
      const { body } = await open(url)
      t.ok(rowNames(body).includes('Seller 0007'))
      t.equal(byId(body, 'events-heading').text, 'Seller 0007', `${url}, while the complete list is not cached`)
    }
  },
)

t.test('a filtered list shows its total and a link to the complete list', async (t) => {
  const { open } = await browse(t)
  for (const [url, all] of [
    [`${sellersPanel}?name=seller%20003&page_size=5&seller_id=7`, `${sellersPanel}?page_size=5&seller_id=7`],
    [`${eventsPanel}?title=sale%20000&page_size=5`, `${eventsPanel}?page_size=5`],
  ] as const) {
    const { body } = await open(url, fragment)
    const texts = tagsOf(body).map(({ text }) => text)
    const found = url.startsWith(eventsPanel) ? '1–5 of 9 upcoming events found' : '1–5 of 10 sellers found'
    t.ok(texts.includes(found), url)
    t.ok(
      tagsOf(body).some(({ attributes }) => attributes['data-live-message'] === found),
      'also for screen readers',
    )
    t.equal(find(body, ({ attributes }) => attributes.class === 'reset').attributes.href, all)
  }
  const { body } = await open(`${sellersPanel}?name=%20`, fragment)
  t.notOk(
    tagsOf(body).some(({ attributes }) => attributes.class === 'reset'),
    'a blank filter is no filter',
  )
})

t.test('an empty list says so, and a page beyond the end links to the last page', async (t) => {
  const { open } = await browse(t)
  t.match((await open('/panels/sellers/8/events', fragment)).body, /No upcoming events\. Past events are not shown\./)
  t.match((await open(`${eventsPanel}?title=nothing`, fragment)).body, /No upcoming event has this in its title\./)
  t.match((await open(`${sellersPanel}?name=unknown`, fragment)).body, /No seller matches this search\./)
  for (const url of [sellersPanel, eventsPanel]) {
    const { statusCode, body } = await open(`${url}?page=99`, fragment)
    t.equal(statusCode, 200)
    t.match(body, /The list has [23] pages only\./)
    const back = find(body, ({ attributes }) => attributes.rel === 'prev').attributes.href ?? ''
    t.ok(rowNames((await open(back, fragment)).body).length > 0, 'the last page')
  }
})

t.test('when one panel fails the page shows the other and the error', async (t) => {
  const { open, upstream } = await browse(t)
  upstream.fail(({ path }) => (path === '/sellers' ? { status: 500 } : undefined))
  const events = await open(eventsPanel)
  t.equal(events.statusCode, 200)
  t.ok(hasId(events.body, 'sellers') && hasId(events.body, 'events'))
  t.strictSame(rowNames(events.body).slice(0, 2), ['Sale 0001', 'Sale 0002'])
  t.equal(byId(events.body, 'events-heading').text, 'Seller 7', 'without its name')
  t.match(events.body, /Error 502/)

  upstream.fail(({ path }) => (path === '/catalogs' ? { status: 500 } : undefined))
  const sellers = await open(`${sellersPanel}?seller_id=8`)
  t.equal(sellers.statusCode, 200)
  t.ok(hasId(sellers.body, 'sellers') && hasId(sellers.body, 'events'))
  t.equal(rowNames(sellers.body)[0], 'Seller 0001')
  t.match(sellers.body, /Error 502/)
  t.equal(find(sellers.body, ({ attributes }) => attributes.name === 'seller_id').attributes.value, '8')
})

t.test('the lists of both panels are requested at the same time', async (t) => {
  const { open, upstream } = await browse(t)
  const catalogsRequested = createDeferred<void>()
  upstream.fail(async ({ path }) => {
    if (path === '/catalogs') catalogsRequested.resolve()
    else await catalogsRequested.promise
    return undefined
  })
  const { body } = await open(eventsPanel)
  t.equal(byId(body, 'events-heading').text, 'Seller 0007')
  t.match(rowNames(body), ['Seller 0001'])
})

t.test('failed events give their page an error status, and the page still shows the list', async (t) => {
  const { open, upstream } = await browse(t)
  upstream.fail(({ path }) => (path === '/catalogs' ? { destroy: 'at once' } : undefined))
  const { statusCode, headers, body } = await open(`${eventsPanel}?list_page=2&list_page_size=10`)
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '5')
  t.ok(hasId(body, 'sellers') && hasId(body, 'events'))
  t.equal(rowNames(body)[0], 'Seller 0011')
  t.match(body, /Error 503/)
  t.equal(find(body, ({ attributes }) => attributes.name === 'seller_id').attributes.value, '7')
  const back = find(body, ({ attributes }) => attributes.class === 'back')
  t.equal(back.attributes.href, '/panels/sellers?page=2&page_size=10#seller-7')
})

t.test('a failure of the main panel is an error page', async (t) => {
  const { open, upstream } = await browse(t)
  upstream.fail({ status: 500 })
  for (const url of ['/', `${sellersPanel}?seller_id=7`, eventsPanel]) {
    const { statusCode, body } = await open(url)
    t.equal(statusCode, 502, url)
    t.ok(isPage(body))
  }
})

t.test('a stale panel shows its age', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const { open, upstream } = await browse(t, { now: clock.now })
  for (const url of [sellersPanel, eventsPanel]) t.notMatch((await open(url, fragment)).body, /class="notice"/)
  clock.step(400)
  upstream.fail({ status: 500 })
  for (const url of [sellersPanel, eventsPanel]) {
    for (const headers of [{}, fragment]) {
      const { statusCode, body } = await open(url, headers)
      t.equal(statusCode, 200)
      t.ok(rowNames(body).length > 0)
      t.match(body, /class="notice"/)
      const datetime = '2026-03-10T12:00:00.000Z'
      t.ok(tagsOf(body).some(({ name, attributes }) => name === 'time' && attributes.datetime === datetime))
    }
  }
})

t.test('a slow marketplace does not delay pages with a stale list, and failures are shown', async (t) => {
  const clock = createClock('2026-03-10T12:00:00Z')
  const environment = { CACHE_STALE_WHILE_REVALIDATE_SECONDS: '0' }
  const timeouts = { cache: { softTimeoutMs: 50 } }
  const { open, upstream } = await browse(t, { now: clock.now, environment, timeouts })
  await open(eventsPanel)
  clock.step(400)
  const held = createDeferred<void>()
  upstream.fail(async () => {
    await held.promise
    return { status: 500 }
  })
  for (const url of [eventsPanel, sellersPanel]) {
    t.match((await open(url)).body, /A newer list is being loaded\./, `${url}: before any failure`)
  }
  upstream.fail({ status: 500 })
  held.resolve()
  const isShown = async () => {
    clock.step(2) // a page from stale data is stored for so long
    return /The marketplace is not responding\./.test((await open(sellersPanel)).body)
  }
  t.ok(await until(isShown))
  clock.step(10)
  const again = createDeferred<void>()
  upstream.fail(async () => {
    await again.promise
    return { status: 500 }
  })
  t.match((await open(sellersPanel)).body, /The marketplace is not responding\./, 'also during a retry')
  again.resolve()
})

t.test('no page has inline scripts, styles or handlers', async (t) => {
  const { open, upstream } = await browse(t)
  const pages = [
    await open('/'),
    await open(`${sellersPanel}?page=2&name=seller&seller_id=7`),
    await open(sellersPanel, fragment),
    await open(eventsPanel),
    await open(eventsPanel, fragment),
    await open(`${sellersPanel}?page=0`),
    await open(`${sellersPanel}?page=0`, fragment),
    await open('/panels/nothing'),
  ]
  upstream.fail({ status: 500 })
  pages.push(await open(`${sellersPanel}?name=x`), await open(`${eventsPanel}?title=x`, fragment))
  for (const { body } of pages) {
    const tags = tagsOf(body)
    t.ok(tags.length > 3)
    t.strictSame(tags.filter(holdsCode), [])
  }
})

/** Whether a tag has inline code or style, or links to another origin. */
function holdsCode({ name, attributes, text }: Tag): boolean {
  const { href, src, action, 'hx-get': get } = attributes
  return (
    name === 'style' ||
    (name === 'script' && (src === undefined || text !== '')) ||
    Object.keys(attributes).some((attribute) => /^(style|on|hx-on|hx-vals|hx-vars)/.test(attribute)) ||
    [href, src, action, get].some((address) => address !== undefined && !/^(\/(?![/\\])|#)/.test(address))
  )
}

t.test('a page has a language, a title, a viewport, and htmx without eval', async (t) => {
  const { open } = await browse(t)
  const { body } = await open('/')
  t.equal(find(body, ({ name }) => name === 'html').attributes.lang, 'en')
  t.equal(find(body, ({ name }) => name === 'title').text, 'Sellers · Vitrine')
  t.ok(tagsOf(body).some(({ attributes }) => attributes.name === 'viewport'))
  const config = JSON.parse(find(body, ({ attributes }) => attributes.name === 'htmx-config').attributes.content ?? '')
  t.match(config, { includeIndicatorStyles: false, allowEval: false, selfRequestsOnly: true, historyCacheSize: 0 })
})

t.test('ids are unique in a page', async (t) => {
  const { open } = await browse(t)
  for (const url of ['/', `${sellersPanel}?seller_id=7`, eventsPanel]) {
    const ids = tagsOf((await open(url)).body).flatMap(({ attributes }) => attributes.id ?? [])
    t.strictSame(ids, [...new Set(ids)], url)
  }
})

t.test('the document title has the panel, the filters, and the page unless it is the first', async (t) => {
  const { open } = await browse(t)
  for (const [url, title] of [
    ['/', 'Sellers'],
    ['/?page=2', 'Sellers – Page 2 of 3'],
    ['/?page=99', 'Sellers'],
    ['/?name=%20seller%20&page=2', 'Sellers – seller – Page 2 of 3'],
    ['/panels/sellers/7/events', 'Seller 0007'],
    ['/panels/sellers/7/events?title=sale&page=2', 'Seller 0007 – sale – Page 2 of 2'],
  ] as const) {
    t.match((await open(url)).body, `<title>${title} · Vitrine</title>`, url)
  }
})

t.test('the back link of events leads to the row of their seller', async (t) => {
  const { open } = await browse(t)
  const { body } = await open('/panels/sellers/27/events?list_page=2&list_page_size=20')
  t.match(body, /class="back" href="\/panels\/sellers\?page=2#seller-27"/)
  t.match((await open('/panels/sellers?page=2')).body, /<a class="row" id="seller-27"/)
})

t.test('assets come from our own origin, are immutable, and change their URL with their content', async (t) => {
  const { app, open } = await browse(t)
  const tags = tagsOf((await open('/')).body)
  const files = tags
    .filter(({ name }) => ['link', 'script', 'img'].includes(name))
    .map(({ attributes }) => attributes.src ?? attributes.href ?? '')
    .filter((address) => !address.startsWith('#')) // an anchor in the page
  t.ok(new Set(files).size >= 4)
  for (const file of new Set(files)) {
    await t.test(file, async (t) => {
      const { statusCode, headers, rawPayload } = await app.inject(file)
      t.equal(statusCode, 200)
      const cacheControl = String(headers['cache-control'])
      t.match(cacheControl, /\bpublic\b/)
      t.match(cacheControl, /\bimmutable\b/)
      t.ok(Number(/max-age=(\d+)/.exec(cacheControl)?.[1]) >= 31_536_000, cacheControl)
      const digest = createHash('sha256').update(rawPayload).digest('hex')
      const version = new URL(file, 'http://vitrine').searchParams.get('v') ?? ''
      t.ok(version.length >= 8 && digest.startsWith(version), 'the URL contains a hash of the content')
    })
  }
})

t.test('only the assets of the pages are served as files', async (t) => {
  const { app } = await browse(t)
  for (const url of [
    '/assets/',
    '/assets/htmx/',
    '/assets/nothing.css',
    '/assets/htmx/htmx.js',
    '/assets/htmx/ext/ws.js',
    '/assets/..%2flayouts/page.eta',
    '/assets/%2e%2e/layouts/page.eta',
    '/assets/htmx/..%2f..%2fpackage.json',
    '/package.json',
  ]) {
    const { statusCode } = await app.inject(url)
    t.ok(statusCode === 404 || statusCode === 403 || statusCode === 400, `${statusCode} for ${url}`)
  }
})
