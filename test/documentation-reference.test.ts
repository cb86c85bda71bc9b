import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { channels } from 'fastify-vitrine/cache'
import t from 'tap'
import ts from 'typescript-5'
import { readConfig } from '../src/config/environment.js'
import { namesInTables, pagesIn } from './harness/markdown.js'
import { sourceOf } from './harness/sources.js'

// The tables of the documentation against the types and sources: nothing is missing, and nothing is there that does not exist.

const reference = 'plugins/docs/reference.md'
const edge = 'plugins/docs/edge.md'
const proxyCache = 'plugins/docs/proxy-cache.md'
const types = publicTypes()

/** A heading, the types whose members its tables list, one for each table, and the names that are not listed. */
const tables: readonly (readonly [
  page: string,
  heading: string,
  types: readonly string[],
  others?: readonly string[],
])[] = [
  ['README.md', 'Configuration', ['Config']],
  [reference, 'Redis options', ['RedisPluginOptions']],
  [reference, 'Cache options', ['CacheOptions']],
  // The second table is of what `track` returns. `bindTrackers` and `close` are described below it.
  [reference, 'Cache methods', ['Cache', 'Dependencies'], ['bindTrackers', 'close']],
  [reference, 'Read policy', ['ReadPolicy']],
  [reference, 'Loader', ['Load']],
  [reference, 'Statistics', ['CacheStats']],
  ['plugins/docs/coherence-and-purging.md', 'Purging', ['Purge']],
  [edge, 'Route options', ['EdgeRouteOptions']],
  [edge, 'Plugin options', ['EdgeOptions']],
  [proxyCache, 'Route options', ['ProxyCacheRouteOptions']],
  [proxyCache, 'Plugin options', ['ProxyCacheOptions']],
]

for (const [page, heading, names, others = []] of tables) {
  t.test(`${page} lists under '${heading}' what there is, and nothing else`, async (t) => {
    const listed = await namesInTables(page, heading)
    t.equal(listed.length, names.length)
    for (const [index, name] of names.entries()) {
      const members = membersOf(name).filter((member) => !others.includes(member))
      t.strictSame([...(listed[index] ?? [])].sort(), members.sort(), name)
    }
  })
}

t.test('the reference lists each channel, with the members of its messages', async (t) => {
  const [listed = []] = await namesInTables(reference, 'Diagnostics channels')
  t.strictSame(
    listed.sort(),
    Object.values(channels)
      .map(({ name }) => String(name))
      .sort(),
  )
  const page = await readFile(reference, 'utf8')
  for (const event of ['ReadEvent', 'LoadEvent', 'WriteEvent', 'PurgeEvent', 'StateEvent']) {
    const [, cell = ''] = new RegExp(`\\| ([^|]*) \\| \`${event}\` \\|`).exec(page) ?? []
    const members = [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    t.strictSame(['cache', ...members].sort(), membersOf(event).sort(), event)
  }
})

t.test('the documentation names each member of smaller types', async (t) => {
  const text = await textOf([reference, 'plugins/docs/testing.md'])
  for (const name of ['Explanation', 'Reading', 'TestStore', 'TestStoreOptions', 'ManualClock', 'CountedLoads']) {
    const members = membersOf(name)
    t.ok(members.length > 1, name)
    for (const member of members) t.match(text, new RegExp(`[\`{ .]${member}\\b`), `${name} ${member}`)
  }
})

t.test('the documentation names each value of the states, reasons and outcomes', async (t) => {
  const text = await textOf(await packagePages())
  for (const union of ['CoherenceState', 'EntryState', 'ReadReason', 'StoreState', 'RedisFailureKind', 'Outcome']) {
    const values = literalsOf(union)
    t.ok(values.length > 3, union)
    for (const value of values) t.ok(text.includes(`\`${value}\``), `${union} ${value}`)
  }
})

t.test('the reference lists each reason for which a response is not stored', async (t) => {
  const [listed = []] = await namesInTables(reference, 'Unstored responses')
  t.strictSame(listed.sort(), literalsOf('UnstoredReason').sort())
})

t.test('the reference lists each reason for which a request bypasses a cache', async (t) => {
  const [listed = []] = await namesInTables(reference, 'Bypassed requests')
  t.strictSame(listed.sort(), literalsOf('BypassReason').sort())
})

t.test('the reference lists each error code', async (t) => {
  const codes = new Set((await sourceOf('plugins')).match(/(?<=')VITRINE_[A-Z_]+(?=')/g))
  const [listed = []] = await namesInTables(reference, 'Error codes')
  t.strictSame(listed.sort(), [...codes].sort())
})

t.test('the reference lists each kind of log entry', async (t) => {
  const source = await sourceOf('plugins')
  const patterns = [
    /(?:report|failed|warn)\(\s*\{[^}]*\bkind: '([\w-]+)'/g,
    /#refuse\(key, '([\w-]+)'/g,
    /new StoreFailure\('([\w-]+)'/g,
    /\bkind: '([\w-]+)', createRouteCache/g,
  ]
  const reported = patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, kind = '']) => kind))
  t.ok(reported.length > 10)
  const kinds = new Set([...reported, ...literalsOf('RedisFailureKind')])
  const [listed = []] = await namesInTables(reference, 'Log entries')
  t.strictSame(listed.sort(), [...kinds].sort())
})

t.test('the README states the defaults of the environment variables', async (t) => {
  const readme = await readFile('README.md', 'utf8')
  for (const [name, value] of Object.entries(readConfig({}))) {
    t.ok(readme.includes(`| \`${name}\` | \`${value}\` |`), `${name}: ${value}`)
  }
})

t.test('the page for operators lists each metric', async (t) => {
  const metrics = new Set((await readFile('src/ops/metrics.ts', 'utf8')).match(/(?<=')vitrine_\w+(?=')/g))
  t.ok(metrics.size > 10)
  const [listed = []] = await namesInTables('docs/operator-page.md', 'Metrics')
  t.strictSame(listed.sort(), [...metrics].sort())
})

t.test('no page names a metric, an error code, an option or a file of tests that does not exist', async (t) => {
  const source = `${await sourceOf('plugins')}${await sourceOf('src')}`
  const files = new Set(await readdir('test', { recursive: true }))
  for (const page of ['README.md', 'CONTRIBUTING.md', ...(await packagePages()), ...(await pagesIn(['docs']))]) {
    const text = await readFile(page, 'utf8')
    for (const [name] of text.matchAll(/\b(?:vitrine_\w+|VITRINE_\w+)/g))
      t.ok(source.includes(name), `${page}: ${name}`)
    for (const [, file = ''] of text.matchAll(/\btest\/([\w./-]+\.ts)/g)) t.ok(files.has(file), `${page}: test/${file}`)
    for (const [, name = ''] of text.matchAll(/`(\w+(?:Ms|Seconds|Bytes|Entries|Variants))\b/g)) {
      t.ok(new RegExp(`\\b${name}\\b`).test(source), `${page}: ${name}`)
    }
  }
})

async function packagePages(): Promise<string[]> {
  return pagesIn(['plugins', 'plugins/docs'])
}

async function textOf(pages: readonly string[]): Promise<string> {
  return (await Promise.all(pages.map((page) => readFile(page, 'utf8')))).join('\n')
}

/** The types of `test/harness/public-types.ts` by name, as the compiler resolves them. */
function publicTypes(): Record<string, ts.Type> {
  const { compilerOptions } = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, process.cwd())
  const file = resolve('test/harness/public-types.ts')
  const program = ts.createProgram([file], options)
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  const exported = module === undefined ? [] : checker.getExportsOfModule(module)
  return Object.fromEntries(
    exported.map((symbol) => [symbol.name, checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol))]),
  )
}

/** The names of the public members of a type. */
function membersOf(name: string): string[] {
  const properties = types[name]?.getProperties() ?? []
  return properties.map((property) => property.name).filter((member) => /^[a-zA-Z]/.test(member))
}

/** The strings of a union of strings. */
function literalsOf(name: string): string[] {
  const type = types[name]
  return type?.isUnion() === true ? type.types.flatMap((each) => (each.isStringLiteral() ? [each.value] : [])) : []
}
