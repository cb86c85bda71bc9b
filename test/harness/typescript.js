// Runs the TypeScript sources as they are, for tests: types are blanked out, so every line and column stays where it is
// and the coverage report can be believed. (tsx joins lines, and its coverage was 100 % whatever the tests did.)
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire, register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

// Starting the compiler and blanking took half of the time of a small test: what was blanked once is kept, by what it was.
const { version } = createRequire(import.meta.url)('@swc/wasm-typescript/package.json')
const blanked = new URL(`../../node_modules/.cache/vitrine/${version}/`, import.meta.url)

/** An import says `./entry.js`, as the compiled code will; the source beside it is `./entry.ts`. */
export async function resolve(specifier, context, next) {
  if (!/^\.{1,2}\/.*\.js$/.test(specifier)) return next(specifier, context)
  const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL)
  return existsSync(source) ? next(source.href, context) : next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const source = await blank(await readFile(fileURLToPath(url), 'utf8'))
  return { format: 'module', source, shortCircuit: true }
}

async function blank(typed) {
  const kept = new URL(`${createHash('sha256').update(typed).digest('hex')}.js`, blanked)
  if (existsSync(kept)) return readFile(kept, 'utf8')
  const { transformSync } = await import('@swc/wasm-typescript')
  const { code } = transformSync(typed, { mode: 'strip-only' })
  await mkdir(blanked, { recursive: true })
  const draft = new URL(`${kept.href}.${process.pid}`)
  await writeFile(draft, code)
  await rename(draft, kept) // whole or not at all, however many tests start at once
  return code
}
