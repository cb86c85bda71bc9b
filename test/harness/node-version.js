// npm run test:node -- 24 [test files]: runs the type checks and the tests on another major version of Node.
// The browser tests are skipped, as they do not depend on the version. The binary comes from the npm registry and
// is stored in node_modules/.cache. Delete its folder there to install a newer one.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const versions = ['22', '24', '26']
const [version = '', ...testArguments] = process.argv.slice(2)
if (!versions.includes(version)) {
  console.error(`usage: npm run test:node -- <${versions.join('|')}> [test files]`)
  process.exit(1)
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'node_modules', '.cache', `node-${version}`)
const platformPackage = `node-${process.platform}-${process.arch}` // the package `node` selects it in an install script
const binaries = join(folder, 'node_modules', platformPackage, 'bin')
const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `${platformPackage}@${version}`]

if (!existsSync(join(binaries, 'node'))) run('npm', install)
// npm and its scripts find this Node first.
process.env.PATH = binaries + delimiter + process.env.PATH
process.env.SKIP_BROWSER_TESTS = 'true'
run('node', ['--version'])
run('npm', ['run', '--silent', 'typecheck'])
run('npm', ['test', '--silent', '--', ...testArguments])

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? 1)
}
