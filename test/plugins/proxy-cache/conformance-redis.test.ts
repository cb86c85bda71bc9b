import { startRedis } from '../../harness/redis-server.js'
import { testAll } from './conformance/play-all.js'

const redis = await startRedis()
await testAll('one cache that stores responses in Redis too', { redisUrl: redis.url }, () => redis.stop())
