import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'

// The package as npm installs it, without the network: packed here, with the packages that it names linked.

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const redisPackages = ['@fastify/redis', 'ioredis']
/** Outside of the repository, so that nothing is found in its node_modules. */
const folder = await mkdtemp(join(tmpdir(), 'vitrine-package-'))
t.teardown(() => rm(folder, { recursive: true }))
const installed = join(folder, 'node_modules', 'fastify-vitrine')
run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], 'plugins')
const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
run('tar', ['-xzf', archive], folder)
await cp(join(folder, 'package'), installed, { recursive: true })

const manifest: Manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
const entries = Object.entries(manifest.exports).flatMap(([path, targets]) =>
  typeof targets === 'string' ? [] : [{ name: join('fastify-vitrine', path), targets }],
)
const withoutRedis = entries.filter(({ name }) => name !== 'fastify-vitrine/redis')
for (const name of ['fastify', ...Object.keys(manifest.dependencies)]) await link(name)

t.test('the package contains the build, the documentation and nothing else', async (t) => {
  const expected = ['LICENSE', 'README.md', 'dist', 'docs', 'package.json']
  t.strictSame((await readdir(installed)).toSorted(), expected)
  const files = await readdir(installed, { recursive: true })
  t.strictSame(
    files.filter((file) => /\.map$|\.test\.|(?<!\.d)\.ts$/.test(file)),
    [],
  )
  for (const { targets } of entries) {
    for (const file of [targets.types, targets.default]) await t.resolves(readFile(join(installed, file)), file)
  }
})

t.test('the packages for Redis are optional peers', async (t) => {
  t.strictSame(Object.keys(manifest.peerDependencies).toSorted(), ['fastify', ...redisPackages].toSorted())
  t.strictSame(
    manifest.peerDependenciesMeta,
    Object.fromEntries(redisPackages.map((name) => [name, { optional: true }])),
  )
  for (const name of redisPackages) t.notOk(Object.hasOwn(manifest.dependencies, name), name)
})

t.test('only fastify-vitrine/redis, its types included, refers to the packages for Redis', async (t) => {
  for (const { name, targets } of entries) {
    const isRedis = name === 'fastify-vitrine/redis'
    for (const file of [targets.types, targets.default]) {
      const found = [...(await packagesOf(join(installed, file)))].filter((each) => redisPackages.includes(each))
      t.equal(found.length > 0, isRedis, `${name}: ${file}`)
    }
  }
})

t.test('every other export loads and caches in memory without the packages for Redis', async (t) => {
  const imports = withoutRedis.map(({ name }) => `await import('${name}')`).join('\n')
  evaluate(
    t,
    `${imports}
    const { default: Fastify } = await import('fastify')
    const app = Fastify()
    await app.register(import('fastify-vitrine/cache'))
    await app.register(import('fastify-vitrine/edge'))
    console.log(await app.cache.fetch('k', () => 'loaded'))
    await app.close()`,
    'loaded',
  )
  evaluate(t, "await import('fastify-vitrine/redis').catch(({ code }) => console.log(code))", 'ERR_MODULE_NOT_FOUND')
})

t.test('every export loads with the packages for Redis', async (t) => {
  for (const name of redisPackages) await link(name)
  const imports = entries.map(({ name }) => `await import('${name}')`).join('\n')
  evaluate(t, `${imports}\nconsole.log('done')`, 'done')
})

function run(command: string, words: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} failed: ${stderr}`)
}

/** Runs a program in the folder that has the package; it must print the text, and no warning. */
function evaluate(t: Test, program: string, expected: string): void {
  const words = ['--input-type=module', '--eval', program]
  const { stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.equal(stdout.trim(), expected)
  t.equal(stderr, '')
}

async function link(name: string): Promise<void> {
  const path = join(folder, 'node_modules', name)
  await mkdir(dirname(path), { recursive: true })
  await symlink(join(process.cwd(), 'node_modules', name), path)
}

/** The packages that a file and the files that it refers to import, types included. */
async function packagesOf(file: string, seen = new Set<string>()): Promise<Set<string>> {
  const packages = new Set<string>()
  if (seen.has(file)) return packages
  seen.add(file)
  const source = await readFile(file, 'utf8')
  for (const [, target = ''] of source.matchAll(/(?:from|import\(|import)\s*['"]([^'"]+)['"]/g)) {
    if (!target.startsWith('.')) {
      packages.add(target)
      continue
    }
    const imported = join(dirname(file), file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target)
    for (const each of await packagesOf(imported, seen)) packages.add(each)
  }
  return packages
}
