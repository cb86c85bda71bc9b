// Prints a CPU profile of a server: a table by kind of work and a tree of calls.

/** Kinds of work by the file of a function; the first match counts. Native functions have no URL. */
const kinds = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['garbage collection', ({ functionName }) => functionName === '(garbage collector)'],
  [
    'parsing, polling and other native code',
    ({ functionName }) => functionName === '(program)' || functionName === '(root)',
  ],
  ['write system calls', ({ url, functionName }) => url === '' && /^(write|shutdown)/.test(functionName)],
  ['edge', ({ url }) => /\/plugins\/dist\/(edge|responses|http)\//.test(url)],
  ['cache and other plugins', ({ url }) => /\/plugins\/dist\/|\/lru-cache\//.test(url)],
  ['application', ({ url }) => url.includes('/dist/') && !url.includes('/node_modules/')],
  [
    'Fastify: routes and hooks',
    ({ url }) => /\/node_modules\/(fastify|find-my-way|avvio|fastq|toad-cache)\//.test(url),
  ],
  ['other packages', ({ url }) => url.includes('/node_modules/')],
  ['node:http', ({ url }) => /^node:(_http|internal\/http)/.test(url)],
  ['node:net and streams', ({ url }) => /^node:(net|_stream|stream|internal\/(stream|streams|js_stream))/.test(url)],
  ['timers, ticks and async hooks', ({ url }) => url.startsWith('node:')],
  ['native functions called from JavaScript', ({ url }) => url === ''],
  ['other', () => true],
]

/** Prints the share of each kind of work, the functions with the most self time, and the call tree. */
export function printProfile({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, { ...node, self: 0, total: 0 }]))
  samples.forEach((id, index) => {
    byId.get(id).self += timeDeltas[index]
  })
  const [root] = byId.values()
  addUp(root)
  const share = (microseconds) => `${((100 * microseconds) / root.total).toFixed(1).padStart(5)} %`

  const byKind = new Map(kinds.map(([name]) => [name, 0]))
  const byFunction = new Map()
  for (const { callFrame, self } of byId.values()) {
    const [name] = kinds.find(([, fits]) => fits(callFrame))
    byKind.set(name, byKind.get(name) + self)
    const place = placeOf(callFrame)
    byFunction.set(place, (byFunction.get(place) ?? 0) + self)
  }
  const sorted = (map) => [...map].filter(([, self]) => self > 0).sort(([, one], [, other]) => other - one)
  console.log('  self time by kind of work')
  for (const [name, self] of sorted(byKind)) console.log(`  ${share(self)}  ${name}`)
  console.log('  functions by self time')
  for (const [place, self] of sorted(byFunction).slice(0, 30)) console.log(`  ${share(self)}  ${place}`)
  console.log('  call tree, total time of 1 % or more')
  printTree(root, 0)

  function addUp(node) {
    node.total = node.self
    for (const id of node.children ?? []) node.total += addUp(byId.get(id))
    return node.total
  }

  function printTree(node, depth) {
    if (node.total < root.total / 100) return
    console.log(`  ${share(node.total)}  ${'  '.repeat(depth)}${placeOf(node.callFrame)}`)
    const children = (node.children ?? []).map((id) => byId.get(id))
    for (const child of children.sort((one, other) => other.total - one.total)) printTree(child, depth + 1)
  }
}

function placeOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const file = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*?\/((plugins\/)?dist|bench)\//, '$1/')
  return `${name}  ${file}:${lineNumber + 1}`
}
