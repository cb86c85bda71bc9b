import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript-5'
import { buildApp } from '../src/app.js'
import { readConfig } from '../src/config/environment.js'
import { type CodeBlock, codeBlocksOf, pagesIn } from './harness/markdown.js'

// Examples of the documentation: `ts` and `js` are type-checked, `cjs` and tests are run, what `sh` names exists, `text` is
// output.

const folder = resolve('test/snippets')
const pages = ['README.md', 'CONTRIBUTING.md', ...(await pagesIn(['plugins', 'plugins/docs', 'docs']))]
const blocks = (await Promise.all(pages.map(codeBlocksOf))).flat()

t.test('every example has a language that a test checks, or is output', async (t) => {
  t.ok(blocks.length > 30)
  for (const { page, line, language } of blocks) {
    t.ok(['ts', 'js', 'cjs', 'sh', 'text'].includes(language), `${page}:${line} '${language}'`)
  }
})

/** With examples that are wrong, in one program: type checks take the most time of this file. */
const wrong = ['app.cache.fetsh("k", fetchRates)', 'await app.register(cache, { ttl: 60 })', 'fetchNothing()']
const typeErrors = typeErrorsIn([
  ...blocks.filter(({ language }) => language === 'ts' || language === 'js'),
  ...wrong.map((code, index) => ({ page: 'wrong', line: index + 1, language: 'js', code })),
])
const isOfWrong = (error: string) => error.startsWith('wrong:')

t.test('every JavaScript and TypeScript example has correct types', async (t) => {
  t.strictSame(
    typeErrors.filter((error) => !isOfWrong(error)),
    [],
  )
})

t.test('an example with a wrong name or option has a type error', async (t) => {
  const errors = typeErrors.filter(isOfWrong)
  t.match(errors, [/^wrong:1 .*fetsh/, /^wrong:2 .*ttl/, /^wrong:3 .*fetchNothing/])
  t.equal(errors.length, 3)
})

t.test('the CommonJS example serves its route, from the cache the second time', async (t) => {
  const examples = blocks.filter(({ language }) => language === 'cjs')
  t.ok(examples.length > 0)
  for (const { code } of examples) {
    const file = join(t.testdir({ 'app.cjs': code }), 'app.cjs')
    const main = `
      const app = require(${JSON.stringify(file)})
      const run = async () => [await app.inject('/rates'), await app.inject('/rates')]
      run().then((responses) => console.log(JSON.stringify(responses.map(({ body, headers }) => [body, headers['cache-status']]))))
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', main], { env: { PATH: process.env.PATH } })
    const [first, second] = JSON.parse(stdout)
    t.match(first, ['{"EUR":1}', /fwd=uri-miss/])
    t.match(second, ['{"EUR":1}', /hit/])
  }
})

t.test('examples that are tests pass', async (t) => {
  const examples = blocks.filter(({ language, code }) => language === 'js' && code.includes("from 'node:test'"))
  t.ok(examples.length > 0)
  for (const { page, code } of examples) {
    const file = join(t.testdir({ 'example.js': code }), 'example.js')
    await t.resolves(promisify(execFile)(process.execPath, [file], { env: { PATH: process.env.PATH } }), page)
  }
})

t.test('commands of shell examples exist', async (t) => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
  const { name, dependencies, peerDependencies } = JSON.parse(await readFile('plugins/package.json', 'utf8'))
  const installable = [name, ...Object.keys({ ...dependencies, ...peerDependencies })]
  const variables = [...Object.keys(readConfig(everyVariable)), 'CI']
  const config = readConfig({ PURGE_TOKEN: 'a-token-for-the-test' })
  const app = await buildApp({ config, upstreamUrl: 'http://127.0.0.1:9' })
  t.teardown(() => app.close())
  for (const { page, line, code } of blocks.filter(({ language }) => language === 'sh')) {
    for (const command of commandsOf(code)) {
      const where = `${page}:${line} ${command}`
      const [, program = ''] = /^(?:[A-Z_]+=\S* )*(\S+)/.exec(command) ?? []
      t.ok(['npm', 'node', 'npx', 'curl', 'redis-cli', 'grep', 'sleep'].includes(program), `${where}: ${program}`)
      for (const [, script = ''] of command.matchAll(/npm run ([\w:]+)/g)) t.ok(script in scripts, where)
      for (const [, packages = ''] of command.matchAll(/npm install (.*)/g)) {
        for (const each of packages.split(' ')) t.ok(installable.includes(each), `${where}: ${each}`)
      }
      for (const [path] of command.matchAll(/\b(?:examples|test|bench|src|docs|plugins)\/[\w./-]+/g)) {
        t.ok(existsSync(path), `${where}: ${path}`)
      }
      for (const [, variable = ''] of command.matchAll(/(?:^|\s)([A-Z_]+)=|\$([A-Z_]+)/g)) {
        if (variable !== '') t.ok(variables.includes(variable), `${where}: ${variable}`)
      }
      for (const [, path = ''] of command.matchAll(/127\.0\.0\.1:3000(\/[^\s']*)/g)) {
        const method = command.includes('--json') ? 'POST' : 'GET'
        t.ok(app.hasRoute({ url: path.replace(/\?.*/, ''), method }), `${where}: ${path}`)
      }
    }
  }
})

/** Sets the variables that have no default, so that `readConfig` returns them. */
const everyVariable = {
  UPSTREAM_URL: 'http://upstream.example',
  UPSTREAM_TOKEN: 'x',
  REDIS_URL: 'redis://redis.example',
  REDIS_USERNAME: 'x',
  REDIS_PASSWORD: 'x',
  PURGE_TOKEN: 'x',
}

/** The commands of a shell example, without comments and pipes. */
function commandsOf(code: string): string[] {
  return code
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/, ''))
    .flatMap((line) => line.split(/&&|\| /))
    .map((command) => command.trim())
    .filter((command) => command !== '')
}

/** What TypeScript 5 says of the examples, each as a module of its own. Many who install the package use that version. */
function typeErrorsIn(examples: readonly CodeBlock[]): string[] {
  const byFile = new Map(
    examples.map((block, index) => [join(folder, `example-${index}.${block.language}`), block] as const),
  )
  const { compilerOptions } = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...compilerOptions,
      allowJs: true,
      checkJs: true,
      moduleDetection: 'force',
      noImplicitAny: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    process.cwd(),
  )
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile: readText } = host
  host.fileExists = (name) => byFile.has(name) || fileExists.call(host, name)
  host.readFile = (name) => byFile.get(name)?.code ?? readText.call(host, name)
  const program = ts.createProgram([join(folder, 'context.ts'), ...byFile.keys()], options, host)
  return [...byFile].flatMap(([name, block]) => {
    const source = program.getSourceFile(name)
    const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return errors.map(({ start = 0, messageText }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + block.line
      return `${block.page}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}
