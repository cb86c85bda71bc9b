import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { pagesIn } from './harness/markdown.js'
import { sourceOf } from './harness/sources.js'

// Links and references of the documentation lead somewhere, in the repository and in the installed package.

const { files } = JSON.parse(await readFile('plugins/package.json', 'utf8'))
const folders = ['.', 'bench', 'docs', 'docs/decisions', 'plugins', 'plugins/docs']

t.test('every link leads to a file that exists, and to a heading that it has', async (t) => {
  let count = 0
  for (const page of await pagesIn(folders)) {
    for (const { target, path, heading } of await linksOf(page)) {
      count += 1
      t.ok(existsSync(path), `${page}: ${target}`)
      if (heading !== undefined) t.ok((await headingsOf(path)).includes(heading), `${page}: ${target}`)
    }
  }
  t.ok(count > 50)
})

t.test('no page of the package links to a file that is not installed with it', async (t) => {
  for (const page of await pagesIn(['plugins', 'plugins/docs'])) {
    for (const { target, path } of await linksOf(page)) {
      const [top] = relative('plugins', path).split('/')
      t.ok(top === 'README.md' || files.includes(top), `${page}: ${target}`)
    }
  }
})

t.test('pages name files that exist', async (t) => {
  for (const page of (await pagesIn(folders)).filter((page) => page !== 'CHANGELOG.md')) {
    const text = await readFile(page, 'utf8')
    for (const [, file = ''] of text.matchAll(
      /`((?:plugins|src|test|bench|examples|docs|templates)\/[\w./-]+\.\w+)`/g,
    )) {
      t.ok(existsSync(file), `${page}: ${file}`)
    }
  }
})

t.test('the tests that SECURITY.md names exist, and each threat has some', async (t) => {
  const page = await readFile('SECURITY.md', 'utf8')
  const threats = page.split(/^### /m).slice(1)
  t.ok(threats.length > 8)
  for (const threat of threats) {
    const tests = [...threat.matchAll(/^ {2}- `(test\/[\w./-]+)`: (.+)$/gm)]
    const [heading = ''] = threat.split('\n')
    t.ok(tests.length > 0, heading)
    for (const [, file = '', title = ''] of tests) {
      const text = await readFile(file, 'utf8')
      t.ok(
        [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => text.includes(quoted)),
        `${file}: ${title}`,
      )
    }
  }
})

t.test('npm scripts run files that exist', async (t) => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
  for (const [name, command] of Object.entries<string>(scripts)) {
    for (const [file] of command.matchAll(/(?:test|bench)\/[\w./-]+\.[jt]s/g))
      t.ok(existsSync(file), `${name}: ${file}`)
  }
})

t.test('every picture in docs/screens is shown by a page', async (t) => {
  const pages = await Promise.all((await pagesIn(folders)).map((page) => readFile(page, 'utf8')))
  for (const picture of await readdir('docs/screens')) {
    t.ok(
      pages.some((page) => page.includes(`screens/${picture})`)),
      picture,
    )
  }
})

t.test('every decision has a numbered title and a row in the index', async (t) => {
  const index = await readFile('docs/decisions/README.md', 'utf8')
  for (const page of await decisionPages()) {
    t.ok((await readFile(`docs/decisions/${page}`, 'utf8')).startsWith(`# ${page.slice(0, 4)}. `), page)
    t.ok(index.includes(`(${page})`), page)
  }
})

t.test('sources refer to decisions that exist', async (t) => {
  const numbers = (await decisionPages()).map((page) => page.slice(0, 4))
  for (const folder of ['plugins', 'src', 'test', 'bench']) {
    for (const [, number = ''] of (await sourceOf(folder)).matchAll(/decisions\/(\d{4})/g)) {
      t.ok(numbers.includes(number), `${folder}: docs/decisions/${number}`)
    }
  }
})

async function decisionPages(): Promise<string[]> {
  return (await readdir('docs/decisions')).filter((name) => /^\d{4}-/.test(name))
}

async function linksOf(page: string) {
  const text = (await readFile(page, 'utf8')).replace(/```.*?```|`[^`\n]*`/gs, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [file = '', heading] = target.split('#')
    return [{ target, path: file === '' ? page : join(dirname(page), file), heading }]
  })
}

/** The anchors that GitHub derives from headings. */
async function headingsOf(page: string): Promise<string[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
