import type { ChildProcess } from 'node:child_process'

const children = new Set<ChildProcess>()

// One listener for all of them: Node warns about more than ten.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Kills the process if the test file ends before it, as in a crash. */
export function killOnExit(child: ChildProcess): void {
  children.add(child)
  child.once('close', () => children.delete(child))
}
