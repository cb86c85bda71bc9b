// Prints a line for each file, then the skipped tests, the failures with their reasons, and the totals last, in the same way
// to a terminal and to a pipe. It listens to the runner and not to the TAP stream, because the stream drops the results of a
// file when another file times out, and does not contain stderr.
import { Transform } from 'node:stream'
import { inspect, styleText } from 'node:util'
import runner from 'tap'

const startedAt = performance.now()
const running = new Map() // the output of each file besides TAP
const totals = { files: 0, failedFiles: 0, passed: 0, failed: 0, skipped: 0 }
const skipped = []
const failures = []

export default class Reporter extends Transform {
  constructor() {
    super()
    runner.on('subtestAdd', addFile)
    runner.on('subtestEnd', reportFile)
    process.once('exit', reportRun) // after the coverage table
  }

  _transform(_tap, _encoding, done) {
    done()
  }
}

function addFile(file) {
  const output = []
  running.set(file, output)
  file.parser.on('extra', (text) => output.push(text))
  file.once('preprocess', ({ stdio }) => {
    stdio[2] = 'pipe'
  })
  file.once('process', ({ stderr }) => stderr.on('data', (chunk) => output.push(String(chunk))))
}

function reportFile(file) {
  const isEmpty = file.passing() && file.results.plan.skipAll
  if (isEmpty && runner.bailedOut) return // not started, or ended by another file that bailed out
  const output = running.get(file).join('').trim()
  running.delete(file)
  const { pass: passed, skip, todo } = file.counts
  const isOk = file.passing()
  const failed = file.counts.fail || Number(!isOk)
  if (isEmpty) skipped.push(`${file.name}: ${file.results.plan.skipReason}`)
  for (const { fullname, skip, todo } of [...file.lists.skip, ...file.lists.todo]) {
    const reason = skip ? skip : ['todo', todo].filter((word) => typeof word === 'string').join(' ')
    skipped.push(reason === true ? fullname : `${fullname}: ${reason}`)
  }
  count({ files: 1, failedFiles: Number(!isOk), passed, failed, skipped: skip + todo + Number(isEmpty) })

  const label = isOk ? color('green', 'ok  ') : color('red', 'FAIL')
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skip + todo > 0 && `${skip + todo} skipped`]
  console.log(`${label}  ${file.name}  ${[...counts, seconds(file.time)].filter(Boolean).join(', ')}`)
  if (isOk && output !== '') console.log(indent(output, 6))
  if (isOk) return
  for (const { fullname, diag } of file.lists.fail) failures.push({ title: fullname, reason: explain(diag ?? {}) })
  const ending = describeEnding(file)
  if (ending !== '' || output !== '') failures.push({ title: file.name, reason: [ending, output].join('\n') })
}

/** The exit of a failed file if its tests do not explain the failure. */
function describeEnding({ timedOut, bailedOut, results, options, lists }) {
  if (timedOut) return 'The file timed out.'
  if (bailedOut) return `Bail out: ${results?.bailout || 'no reason given'}`
  if (options.signal) return `The process was killed by ${options.signal}.`
  if (options.exitCode > 1 || lists.fail.length === 0) return `The process exited with code ${options.exitCode}.`
  return ''
}

function reportRun() {
  for (const { name } of running.keys()) {
    count({ files: 1, failedFiles: 1, failed: 1 })
    failures.unshift({ title: name, reason: 'The file did not finish.' })
  }
  if (totals.failed > 0) process.exitCode = 1
  else if (process.exitCode) console.log('\nAll tests passed, but coverage is missing or below a threshold of .taprc.')
  if (skipped.length > 0) console.log(`\n${color('bold', 'Skipped')}\n`)
  for (const line of skipped) console.log(indent(line))
  if (failures.length > 0) console.log(`\n${color('bold', 'Failures')}`)
  for (const [index, { title, reason }] of failures.entries()) {
    console.log(`\n${color('red', `${index + 1}. ${title}`)}\n${indent(reason.trim())}`)
  }
  const { passed, failed } = totals
  console.log(`\nFiles: ${totals.files - totals.failedFiles} passed, ${totals.failedFiles} failed`)
  console.log(
    `Tests: ${passed} passed, ${failed} failed, ${totals.skipped} skipped, ${seconds(performance.now() - startedAt)}`,
  )
}

/** The details of a failed assertion or an error. */
function explain({ at, test, compare, source, diff, stack, cause, errors, tapCaught, ...fields }) {
  const { fileName, lineNumber, columnNumber } = at ?? {}
  const others = Object.entries(fields).filter(([name]) => diff === undefined || !['found', 'wanted'].includes(name))
  return [
    fileName && `${fileName}:${lineNumber}:${columnNumber}`,
    source,
    diff,
    ...others.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : inspect(value, { depth: 8 })}`),
    stack,
    ...[cause ?? [], errors ?? []].flat().map((error) => `cause: ${indent(explain(Object(error))).trim()}`),
  ]
    .filter((part) => part !== undefined && part !== '')
    .map((part) => part.trimEnd())
    .join('\n')
}

function count(numbers) {
  for (const [name, number] of Object.entries(numbers)) totals[name] += number
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function indent(text, width = 3) {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(width))
}

function color(style, text) {
  return process.stdout.hasColors?.() ? styleText(style, text) : text
}
