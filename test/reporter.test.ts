import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

// The output and exit code of `npm test`. The real test runner runs generated test files.

t.setTimeout(600_000) // the runner starts several processes
t.jobs = 4 // two runs wait for time-outs

const program = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url))
const reporter = fileURLToPath(new URL('./harness/reporter.js', import.meta.url))
const configuration = `plugin: ['!@tapjs/typescript']\ndisable-coverage: true\nreporter: ${reporter}\n`

interface Run {
  readonly exitCode: unknown
  /** Printed before the list of failures. */
  readonly progress: string
  /** Printed from the list of failures on. */
  readonly failures: string
  readonly totals: readonly string[]
}

/** Runs test files with these contents, each after an import of tap. */
async function runFiles(t: Test, contents: Record<string, string>, options: readonly string[] = []): Promise<Run> {
  const names = Object.keys(contents)
  const files = names.map((name) => [name, `import t from 'tap'\n${contents[name]}\n`])
  const cwd = t.testdir({ '.taprc': configuration, ...Object.fromEntries(files) })
  const child = spawn(process.execPath, [program, ...options, ...names], {
    cwd,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const [progress = '', failures = ''] = output.split('\nFailures\n')
  return { exitCode, progress, failures, totals: output.trimEnd().split('\n').slice(-2) }
}

const mixed = runFiles(t, {
  'passes.js': `t.test('outer', async (t) => { t.pass('one'); t.pass('two') })`,
  'skips.js': `t.pass('one'); t.test('outer', async (t) => t.pass('inner', { skip: 'there is no nginx' }))`,
  'writes.js': `t.pass('one'); console.log('to stdout'); console.error('to stderr')`,
  'compares.js': `t.test('outer', async (t) => {\n  t.same({ a: 1 }, { a: 2 }, 'an object')\n  t.pass('next')\n})`,
  'throws.js': `t.test('outer', async () => {\n  throw new Error('broken', { cause: new Error('disk full') })\n})`,
  'exits.js': `t.pass('one'); t.end(); console.error('the last words'); process.exitCode = 3`,
  'imports.js': `import './missing.js'`,
  'killed.js': `t.pass('one'); t.test('never ends', () => { process.kill(process.pid, 'SIGKILL') })`,
  'rejects.js': `t.pass('one'); Promise.reject(new Error('unhandled'))`,
})

t.test('a passed file is one line, and skipped tests are listed with their reasons', async (t) => {
  const { progress } = await mixed
  t.match(progress, /^ok {4}passes\.js {2}2 passed, \d+\.\d s$/m)
  t.match(progress, /^ok {4}skips\.js {2}1 passed, 1 skipped, \d+\.\d s$/m)
  t.match(progress, /^ok {4}writes\.js {2}1 passed, \d+\.\d s\n {6}to std/m)
  t.match(progress, '\nSkipped\n\n   skips.js > outer > inner: there is no nginx\n')
})

t.test('failures follow all files with title, location and reason, and the totals are last', async (t) => {
  const { exitCode, progress, failures, totals } = await mixed
  t.equal(exitCode, 1)
  t.match(progress, /^FAIL {2}compares\.js {2}1 passed, 1 failed, \d+\.\d s$/m)
  t.match(progress, /^FAIL {2}throws\.js {2}0 passed, 1 failed, \d+\.\d s$/m)
  t.match(failures, /^\d\. compares\.js > outer > an object\n {3}compares\.js:3:5\n/m)
  t.match(failures, '\n   -  "a": 2,\n   +  "a": 1,\n')
  t.match(failures, /^\d\. throws\.js > outer > broken\n {3}throws\.js:3:9\n/m)
  t.match(failures, /message: disk full$/m)
  t.match(totals, ['Files: 3 passed, 6 failed', /^Tests: \d+ passed, 6 failed, 1 skipped, \d+\.\d s$/])
})

t.test('a file that exits before its tests end has failed, with a reason', async (t) => {
  const { failures } = await mixed
  t.match(failures, /^\d\. exits\.js\n {3}The process exited with code 3\.\n {3}the last words$/m)
  t.match(failures, /^\d\. imports\.js\n {3}The process exited with code 1\.\n/m)
  t.match(failures, /Cannot find module .*missing\.js/)
  t.match(failures, /^\d\. killed\.js\n {3}The process was killed by SIGKILL\.$/m)
  t.match(failures, /^\d\. rejects\.js > unhandled\n/m)
})

t.test('a run without failures exits with 0', async (t) => {
  const { exitCode, totals } = await runFiles(t, { 'passes.js': `t.pass('one')` })
  t.equal(exitCode, 0)
  t.match(totals, ['Files: 1 passed, 0 failed', /^Tests: 1 passed, 0 failed, 0 skipped, /])
})

t.test('a run that fails without a failed test names coverage as the reason', async (t) => {
  // No file besides the test is loaded, so there is no coverage.
  const { exitCode, progress, totals } = await runFiles(t, { 'passes.js': `t.pass('one')` }, ['--no-disable-coverage'])
  t.equal(exitCode, 1)
  t.match(progress, 'All tests passed, but coverage is missing or below a threshold of .taprc.')
  t.match(totals, ['Files: 1 passed, 0 failed', /^Tests: 1 passed, 0 failed, 0 skipped, /])
})

const hangs = `t.test('hangs', () => new Promise(() => setInterval(() => {}, 1_000)))`

t.test('a file that times out has failed', async (t) => {
  const { exitCode, progress, failures, totals } = await runFiles(t, { 'hangs.js': hangs }, ['--timeout=3'])
  t.equal(exitCode, 1)
  t.match(progress, /^FAIL {2}hangs\.js/m)
  t.match(failures, /^\d\. hangs\.js\n {3}The file timed out\.$/m)
  t.equal(totals[0], 'Files: 0 passed, 1 failed')
})

t.test('a file that bails out has failed, and so has a file that it terminates', async (t) => {
  const contents = { 'bails.js': `t.bailout('no database')`, 'hangs.js': hangs }
  const { exitCode, failures, totals } = await runFiles(t, contents, ['--jobs=2', '--timeout=5'])
  t.equal(exitCode, 1)
  t.match(failures, /^\d\. bails\.js\n {3}Bail out: no database$/m)
  t.match(failures, /^\d\. hangs\.js/m)
  t.equal(totals[0], 'Files: 0 passed, 2 failed')
})
