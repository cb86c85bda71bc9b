import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import t from 'tap'

// Links of the documentation lead somewhere, in the repository and in the installed package.

const { files } = JSON.parse(await readFile('plugins/package.json', 'utf8'))
const ours = ['.', 'bench', 'docs', 'docs/decisions', 'plugins', 'plugins/docs']

t.test('every link leads to a file that is there, and to a heading that it has', async (t) => {
  let count = 0
  for (const page of await pagesIn(ours)) {
    for (const { target, path, heading } of await linksOf(page)) {
      count += 1
      t.ok(existsSync(path), `${page}: ${target}`)
      if (heading !== undefined) t.ok((await headingsOf(path)).includes(heading), `${page}: ${target}`)
    }
  }
  t.ok(count > 50)
})

t.test('no page of the package links to what is not installed with it', async (t) => {
  for (const page of await pagesIn(['plugins', 'plugins/docs'])) {
    for (const { target, path } of await linksOf(page)) {
      const [top] = relative('plugins', path).split('/')
      t.ok(top === 'README.md' || files.includes(top), `${page}: ${target}`)
    }
  }
})

async function pagesIn(folders: string[]): Promise<string[]> {
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  )
  return names.flat().filter((name) => name.endsWith('.md'))
}

async function linksOf(page: string) {
  const text = (await readFile(page, 'utf8')).replace(/```.*?```|`[^`\n]*`/gs, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [file = '', heading] = target.split('#')
    return [{ target, path: file === '' ? page : join(dirname(page), file), heading }]
  })
}

/** As GitHub makes anchors of them. */
async function headingsOf(page: string): Promise<string[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
