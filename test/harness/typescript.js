// Runs the TypeScript sources in tests. Types are replaced by blanks, so lines and columns are unchanged and the coverage
// report is correct. (tsx joins lines, and always reported a coverage of 100 %.)
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

// Node 20 has only register(), which loads this file again in a separate thread. Node 26 deprecates it.
if (module.registerHooks) module.registerHooks({ resolve, load })
else if (isMainThread) module.register(import.meta.url)

const require = createRequire(import.meta.url)
// The compiler took half of the time of a small test, so the results are cached by content.
const { version } = require('@swc/wasm-typescript/package.json')
const cache = new URL(`../../node_modules/.cache/vitrine/${version}/`, import.meta.url)

/** An import names `./entry.js`, the compiled file. Its source is `./entry.ts`. */
export function resolve(specifier, context, next) {
  if (!/^\.{1,2}\/.*\.js$/.test(specifier)) return next(specifier, context)
  const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL)
  return existsSync(source) ? next(source.href, context) : next(specifier, context)
}

export function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const source = blank(readFileSync(fileURLToPath(url), 'utf8'))
  return { format: 'module', source, shortCircuit: true }
}

function blank(typed) {
  const cached = new URL(`${createHash('sha256').update(typed).digest('hex')}.js`, cache)
  if (existsSync(cached)) return readFileSync(cached, 'utf8')
  const { code } = require('@swc/wasm-typescript').transformSync(typed, { mode: 'strip-only' })
  mkdirSync(cache, { recursive: true })
  const draft = new URL(`${cached.href}.${process.pid}`)
  writeFileSync(draft, code)
  renameSync(draft, cached) // atomic, as several tests start at once
  return code
}
