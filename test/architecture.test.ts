import { readdir, readFile } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import t from 'tap'
import ts from 'typescript-5'

// The import rules of docs/ARCHITECTURE.md, and limits for the size of files and functions.

/** Within the cache: what every layer above `entry` may import. */
const cacheCommon = [
  'plugins/cache/clock.js',
  'plugins/cache/signals.js',
  'plugins/cache/single-flight.js',
  'plugins/cache/store.js',
  'plugins/cache/store-access.js',
  'plugins/cache/observe/cache-events.js',
  'plugins/cache/entry/',
  'plugins/cache/memory/',
  'plugins/cache/purge/',
  'plugins/backoff.js',
  'plugins/timeout.js',
]

/** The files of the redis plugin that need no ioredis: the cache works without it. */
const redisWithoutClient = [
  'plugins/redis/circuit-breaker.js',
  'plugins/redis/client-shape.js',
  'plugins/redis/cluster-slot.js',
  'plugins/redis/failure-kind.js',
  'plugins/redis/guarded-connector.js',
  'plugins/redis/outage-log.js',
  'plugins/redis/reconnect-delay.js',
  'plugins/redis/server-breakers.js',
]

/** Folders, the most specific first, and what their files may import besides files of the same folder. */
const rules: readonly (readonly [folder: string, imports: readonly string[]])[] = [
  ['plugins/http/', ['plugins/exact-bytes.js']],
  [
    'plugins/responses/',
    [
      'plugins/exact-bytes.js',
      'plugins/http/',
      'plugins/cache/index.js',
      'plugins/cache/brand.js',
      'plugins/option-rules.js',
      'plugins/backoff.js',
      'plugins/timeout.js',
    ],
  ],
  ['plugins/edge/', ['plugins/http/', 'plugins/responses/', 'plugins/cache/index.js', 'plugins/option-rules.js']],
  [
    'plugins/proxy-cache/',
    [
      'plugins/http/',
      'plugins/responses/',
      'plugins/cache/index.js',
      'plugins/exact-bytes.js',
      'plugins/option-rules.js',
      'plugins/timeout.js',
    ],
  ],
  ['plugins/cache/entry/', ['plugins/cache/store.js', 'plugins/cache/errors.js', 'plugins/redis/outage-log.js']],
  ['plugins/cache/memory/', ['plugins/cache/entry/']],
  ['plugins/cache/purge/', cacheCommon],
  ['plugins/cache/tiers/', [...cacheCommon, 'plugins/cache/dependencies.js']],
  [
    'plugins/cache/load/',
    [
      ...cacheCommon,
      'plugins/cache/tiers/',
      'plugins/cache/errors.js',
      'plugins/cache/options.js',
      'plugins/cache/policy.js',
      'plugins/cache/reading.js',
      'plugins/redis/outage-log.js',
    ],
  ],
  [
    'plugins/cache/read/',
    [
      ...cacheCommon,
      'plugins/cache/tiers/',
      'plugins/cache/load/',
      'plugins/cache/dependencies.js',
      'plugins/cache/reading.js',
    ],
  ],
  ['plugins/cache/redis/', [...cacheCommon, ...redisWithoutClient]],
  ['plugins/cache/', [...redisWithoutClient, 'plugins/option-rules.js', 'plugins/backoff.js', 'plugins/timeout.js']],
  ['plugins/redis/', ['plugins/option-rules.js', 'plugins/backoff.js', 'plugins/timeout.js']],
  ['plugins/', []],
  ['src/schemas/', []],
  ['src/texts/', []],
  ['src/config/', []],
  ['src/process/', ['src/config/']],
  ['src/demo/', ['src/process/']],
  ['src/upstream/', ['src/schemas/']],
  ['src/catalog/', ['src/upstream/', 'src/schemas/']],
  ['src/http/', ['src/config/', 'src/schemas/', 'src/texts/', 'src/upstream/']],
  ['src/api/', ['src/catalog/', 'src/http/', 'src/schemas/']],
  ['src/panels/', ['src/catalog/', 'src/http/', 'src/schemas/', 'src/texts/']],
  ['src/ops/', ['src/http/', 'src/texts/']],
  ['src/docs/', []],
  ['src/', []],
]

/** Packages that a folder must not import. */
const forbidden: Readonly<Record<string, RegExp>> = {
  'plugins/http/': /^(?:fastify|ioredis|@fastify\/|node:(?!util$|zlib$|crypto$))/,
  'plugins/cache/': /^(?:ioredis|@fastify\/redis)/, // optional peers: memory-only users do not install them
  'plugins/': /^(?:fastify-vitrine|vitrine)/,
}

interface Import {
  readonly file: string
  readonly target: string
}

async function sourceFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const sources = names.filter((name) => name.endsWith('.ts') && !/(^|\/)(?:dist|node_modules)\//.test(name))
  return sources.map((name) => join(folder, name))
}

async function importsOf(folder: string): Promise<Import[]> {
  const lists = (await sourceFilesIn(folder)).map(async (file) => {
    const source = await readFile(file, 'utf8')
    return [...source.matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(([, target = '']) => ({ file, target }))
  })
  return (await Promise.all(lists)).flat()
}

/** The path of a relative import from the root of the repository, or the name of a package. */
function resolved({ file, target }: Import): string {
  return target.startsWith('.') ? normalize(join(file, '..', target)) : target
}

t.test('imports point from the application to the plugins, and in the plugins to the HTTP rules', async (t) => {
  const imports = [...(await importsOf('plugins')), ...(await importsOf('src'))]
  t.ok(imports.length > 500, 'imports are found')
  const wrong = imports.filter(({ file, target }) => {
    if (!target.startsWith('.')) return false
    const [folder = '', allowed = []] = rules.find(([folder]) => file.startsWith(folder)) ?? []
    const imported = resolved({ file, target })
    return ![folder, ...allowed].some((place) => imported.startsWith(place))
  })
  t.strictSame(wrong, [])
})

t.test('the HTTP rules depend on no server or network, and the plugins not on the application', async (t) => {
  for (const [folder, packages] of Object.entries(forbidden)) {
    const wrong = (await importsOf(folder)).filter(({ target }) => !target.startsWith('.') && packages.test(target))
    t.strictSame(wrong, [], folder)
  }
})

t.test('docs/ARCHITECTURE.md names files that exist', async (t) => {
  const page = await readFile('docs/ARCHITECTURE.md', 'utf8')
  const named = [...page.matchAll(/`((?:plugins|src)\/[\w/-]+\.ts)`/g)].map(([, file = '']) => file)
  t.ok(named.length > 10)
  for (const file of named) await t.resolves(readFile(file), file)
})

t.test('only the process entry imports the composition root', async (t) => {
  const importers = (await importsOf('src')).filter((each) => resolved(each) === 'src/app.js').map(({ file }) => file)
  t.strictSame(importers, ['src/server.ts'])
})

t.test('edge and proxy-cache do not import each other', async (t) => {
  for (const [folder, other] of [
    ['plugins/edge/', 'plugins/proxy-cache/'],
    ['plugins/proxy-cache/', 'plugins/edge/'],
  ] as const) {
    const imports = await importsOf(folder)
    t.ok(imports.length > 0, 'imports are found')
    t.strictSame(
      imports.filter((each) => resolved(each).startsWith(other)),
      [],
    )
  }
})

const maxFileLines = 300
const maxFunctionLines = 80
/** The maximum for all files of a folder. */
const maxFolderLines: Readonly<Record<string, number>> = { 'plugins/edge': 2_000 }

t.test(`no file has more than ${maxFileLines} lines, and no function more than ${maxFunctionLines}`, async (t) => {
  const files = [...(await sourceFilesIn('plugins')), ...(await sourceFilesIn('src'))]
  t.ok(files.length > 100, 'files are found')
  for (const file of files) {
    const source = ts.createSourceFile(file, await readFile(file, 'utf8'), ts.ScriptTarget.Latest, true)
    const lines = linesIn(source.text)
    const isGenerated = source.text.startsWith('// Written by `npm run ')
    t.ok(lines <= maxFileLines || isGenerated, `${file} has ${lines} lines`)
    const long = functionsIn(source).filter(({ lines }) => lines > maxFunctionLines)
    t.strictSame(long, [], `functions of ${file}`)
  }
})

for (const [folder, maxLines] of Object.entries(maxFolderLines)) {
  t.test(`${folder} has at most ${maxLines} lines`, async (t) => {
    const texts = await Promise.all((await sourceFilesIn(folder)).map((file) => readFile(file, 'utf8')))
    const lines = texts.reduce((sum, text) => sum + linesIn(text), 0)
    t.ok(lines > 0 && lines <= maxLines, `${lines} lines`)
  })
}

function linesIn(text: string): number {
  return text.trimEnd().split('\n').length
}

/** The functions, methods and accessors of a file with their position and number of lines. */
function functionsIn(source: ts.SourceFile): { at: string; lines: number }[] {
  const found: { at: string; lines: number }[] = []
  const visit = (node: ts.Node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const [first, last] = [node.getStart(source), node.end].map((at) => source.getLineAndCharacterOfPosition(at).line)
      const start = (first ?? 0) + 1
      found.push({ at: `${source.fileName}:${start}`, lines: (last ?? 0) + 2 - start })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
