// Where the time of a server goes: what a CPU profile of it says, as a table by kind of work and a tree of calls.

/** Kinds of work by where a function lives; the first that fits. What is native has no address and a name alone. */
const kinds = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['collecting garbage', ({ functionName }) => functionName === '(garbage collector)'],
  [
    'parsing, polling and the rest of native code',
    ({ functionName }) => functionName === '(program)' || functionName === '(root)',
  ],
  ['system calls that write', ({ url, functionName }) => url === '' && /^(write|shutdown)/.test(functionName)],
  ['edge', ({ url }) => /\/plugins\/dist\/(edge|$)/.test(url)],
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
  ['elsewhere', () => true],
]

/** Prints the share of each kind of work, the functions that take most by themselves, and the calls that lead there. */
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
  const most = (map) => [...map].filter(([, self]) => self > 0).sort(([, one], [, other]) => other - one)
  console.log('  self time by kind of work')
  for (const [name, self] of most(byKind)) console.log(`  ${share(self)}  ${name}`)
  console.log('  functions that take most by themselves')
  for (const [place, self] of most(byFunction).slice(0, 30)) console.log(`  ${share(self)}  ${place}`)
  console.log('  calls, with all that they call, from 1 % up')
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
