import { startRedis } from '../../harness/redis-server.js'
import { testAll } from './conformance/play-all.js'

const redis = await startRedis()
await testAll('two caches on one Redis, asked in turn', { redisUrl: redis.url, count: 2 }, () => redis.stop())
