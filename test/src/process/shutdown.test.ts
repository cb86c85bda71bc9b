import t, { type Test } from 'tap'
import { type Program, startProgram } from '../../harness/process.js'

t.jobs = 4
t.setTimeout(120_000)

async function startClosing(t: Test, environment: Record<string, string>): Promise<Program> {
  const program = startProgram(t, environment, 'test/harness/closing-process.js')
  await program.until(/^ready$/)
  return program
}

for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGTERM'] as const) {
  t.test(`${signal} closes and exits with 0`, async (t) => {
    const program = await startClosing(t, { CLOSE: 'ends' })
    t.match(await program.stop(signal), { code: 0, signal: null })
    t.strictSame(program.stdout, ['ready', `closing: ${signal}`])
  })
}

t.test('an uncaught error closes and exits with 1', async (t) => {
  for (const [FAULT, message] of [
    ['throws', 'thrown'],
    ['rejects', 'rejected'],
  ] as const) {
    const program = startProgram(t, { CLOSE: 'ends', FAULT }, 'test/harness/closing-process.js')
    t.match(await program.exited, { code: 1, signal: null })
    t.match(program.stdout.at(-1), `closing: ${message}`)
  }
})

t.test('a failed close exits with 1', async (t) => {
  const program = await startClosing(t, { CLOSE: 'fails' })
  t.match(await program.stop(), { code: 1, signal: null })
  t.match(program.stderr.join('\n'), /vitrine: shutdown failed: .*cannot close/, 'with the reason')
})

t.test('a close that exceeds the deadline exits with 1', async (t) => {
  const program = await startClosing(t, { CLOSE: 'never', DEADLINE_MS: '100' })
  t.match(await program.stop(), { code: 1, signal: null })
})

for (const [first, second] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGINT'],
  ['SIGINT', 'SIGTERM'], // Ctrl-C goes to the process group, and npm forwards it
  ['SIGTERM', 'SIGINT'],
] as const) {
  for (const [AFTER_MS, code] of [
    ['999', 0],
    ['1000', 1],
  ] as const) {
    t.test(`${second} ${AFTER_MS} ms after ${first} exits with ${code}`, async (t) => {
      const program = await startClosing(t, { CLOSE: 'ends', SECOND: second, AFTER_MS })
      t.match(await program.stop(first), { code, signal: null })
      t.strictSame(program.stdout, ['ready', `closing: ${first}`], 'closed once')
    })
  }
}
