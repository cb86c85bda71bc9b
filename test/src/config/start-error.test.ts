import createError from '@fastify/error'
import t from 'tap'
import { InvalidEnvironment } from '../../../src/config/environment.js'
import { formatStartError } from '../../../src/config/start-error.js'

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })
const RedisOption = createError<[string]>('VITRINE_REDIS_OPTION', 'fastify.redis: %s', 500)

t.test('a start-up error is one line that names the variable', async (t) => {
  const cases: [error: unknown, environment: Record<string, string>, line: string][] = [
    [
      new InvalidEnvironment('PORT must be an integer between 0 and 65535'),
      {},
      'PORT must be an integer between 0 and 65535',
    ],
    [failure('EADDRINUSE', 'in use'), {}, 'PORT must be a free port (in use)'],
    [failure('EACCES', 'denied'), {}, 'PORT must be a port that this user may listen on (denied)'],
    [failure('EADDRNOTAVAIL', 'no'), {}, 'HOST must be an address of this machine (no)'],
    [failure('ENOTFOUND', 'no'), {}, 'HOST must be an address of this machine (no)'],
    [failure('EAI_AGAIN', 'no'), {}, 'HOST must be an address of this machine (no)'],
    [
      new RedisOption('sentinels must not be empty'),
      { REDIS_URL: '', REDIS_SENTINELS: 'a:1' },
      'REDIS_SENTINELS must be usable (fastify.redis: sentinels must not be empty)',
    ],
    [failure('VITRINE_CACHE_OPTION', 'fastify.cache: no'), {}, 'fastify.cache: no'],
    ['a text', {}, 'a text'],
  ]
  for (const [error, environment, line] of cases) t.equal(formatStartError(error, environment), line)
})

t.test('an error that no variable explains is reported with its stack', async (t) => {
  const error = new Error('unexpected')
  t.equal(formatStartError(error, {}), error.stack)
})
