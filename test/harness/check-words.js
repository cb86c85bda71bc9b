// Part of `npm run lint`: finds words that this project replaces by the terms of HTTP caching, Redis and Fastify, so that a
// reader needs no glossary. CONTRIBUTING.md explains the rule. Prints each place with what to write instead.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A pattern, and what to write instead. Case matters only where a pattern says so. */
const banned = [
  [/telling(?!s)/i, 'events, stats, reporting'],
  [/keeper|keepFor|doNotKeep|keptUnless/i, 'store, setLifetime, skipStore'],
  [/\bkept\b|\bis-?Kept\b|isKept/i, 'stored'],
  [/reception/i, 'on-send'],
  [/governor/i, 'OutageLog, redisHealth'],
  [/rubbish/i, 'corrupt data'],
  [/\bwho(?:m)?ever\b/i, 'name it: callers, readers, processes'],
  [/\b(?:no|some|any)body\b|\beverybody\b/i, 'name it: no caller, another process, all clients'],
  [
    /\bthose who\b|\bhe who\b|\bwho (?:asks|waits|reads|loads|gives|wants|comes|knows|gives up)\b/i,
    'name it: callers, readers, processes',
  ],
  [/\banew\b/i, 'again'],
  [/\bany more\b/i, 'no longer'],
  [/\bunder ?way\b|underWay/i, 'in flight, in progress'],
  [/\b(?:hear|hears|heard) of\b|\bhear(?:s|ing)? (?:what|nothing)\b/i, 'receives, is notified'],
  [/\b(?:is|are|was|were|be) told\b|\bTold\b|\btells? of\b/, 'is notified, is reported, receives'],
  [/\bby heart\b/i, 'in memory'],
  [/\bleft alone\b|\bleaves? \w+ alone\b/i, 'is not used, the circuit breaker is open'],
  [/\blet (?:a request|\w+) down\b/i, 'failed'],
  [/\bgive(?:s)? way\b|giveWay/i, 'yields'],
  [/\bfor want of\b/i, 'as a last resort'],
  [/\bh(?:e|o)ld against\b|holdAgainst/i, 'compared with'],
  [/\bh(?:e|o)lds? up\b/i, 'blocks, delays'],
  [
    /\b(?:what|which|that) lies\b|\blies (?:in|under|there|elsewhere)\b|\blying\b|\blay (?:under|there)\b/i,
    'is stored',
  ],
  [/\bstrangers?\b/i, 'another client'],
  [/\bcanary\b/i, 'heartbeat'],
  [/\btally\b/i, 'counters'],
  [/\bhurry\b/i, 'probeNow, checkNow'],
  [/\bwants?\b/i, 'requires, must be'],
  [/\bwish(?:es)?\b/i, 'expected, option'],
  [/\bcomplaints?\b/i, 'message, error'],
  [/\bwhat (?:became|comes) of\b/i, 'the result of'],
  [/\b(?:most|least|longest)(?=[A-Z]\w)/, 'max…, min…'],
  [/\b[A-Z]\w+Parts\b|#parts\b|\bedge-parts\b/, '…Options or …Deps'],
  [/\bshop\b/i, 'panels'],
  [
    /familyOf|absentTtl|acceptStale|mayServeStale|obeyRequestDirectives|visibleHeaders|browserSeconds/,
    'see CHANGELOG.md for the option’s name',
  ],
  [/\bmemos?\b|ErrorMemos/i, 'cached error'],
  [/\bincidents?\b/i, 'report'],
]

/** Not prose or code of ours: generated files, the history, French texts, and this list. */
const exempt =
  /^(?:CHANGELOG\.md|package-lock\.json|LICENSE|plugins\/LICENSE|src\/texts\/french\.ts|test\/harness\/check-words\.js|docs\/screens\/)/
const checked = /\.(?:ts|js|md|eta|css|json|ya?ml)$|^\.ci\/|^\.taprc$/

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...process.argv.slice(2)], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => checked.test(file) && !exempt.test(file))

let found = 0
for (const file of files) {
  let text
  try {
    text = readFileSync(`${root}/${file}`, 'utf8')
  } catch {
    continue // deleted, and not committed yet
  }
  for (const [index, line] of text.split('\n').entries()) {
    for (const [pattern, instead] of banned) {
      const match = pattern.exec(line)
      if (match === null) continue
      found += 1
      console.log(`${file}:${index + 1}: "${match[0]}": write ${instead}`)
    }
  }
}
if (found > 0) {
  console.error(`${found} words to replace`)
  process.exitCode = 1
}
