// From which size compression of values in Redis (`compressAboveBytes`) is faster. Method: lists of sellers are written and
// read with and without compression, in turn within each round. Every read is from Redis, as memory is limited to one entry.
// The size is from STRLEN. The last column is the network speed below which the saved bytes outweigh the time of compression.
import { interleave, line, sellers, startApp, startRedis, title, untilTracking } from './cache-kit.js'

const redis = await startRedis()
const options = { url: redis.url, maxMemoryEntries: 1, readTimeoutMs: 10_000, writeTimeoutMs: 10_000 }
const plain = await startApp({ ...options, keyPrefix: 'plain_' })
const packed = await startApp({ ...options, keyPrefix: 'packed_', compressAboveBytes: 1 })
for (const app of [plain, packed]) await untilTracking(app)

title('lists of sellers in Redis with compression, compared with none')
for (const count of [1, 10, 50, 100, 500, 2_000, 10_000]) {
  const list = sellers(count)
  const times = Math.max(4, Math.round(400 / count))
  const keys = ['a', 'b'].map((name) => `${name}:${count}`)
  const write = (app) => async () => {
    for (let time = 0; time < times; time += 1) await app.cache.set(keys[time % 2], list)
  }
  const read = (app) => async () => {
    for (let time = 0; time < times; time += 1) await app.cache.get(keys[time % 2])
  }
  const [, packedWrite] = await interleave([write(plain), write(packed)], { rounds: 9 })
  const [plainRead, packedRead] = await interleave([read(plain), read(packed)], { rounds: 9 })
  const size = await redis.client.strlen(`plain_${keys[0]}`)
  const compressedSize = await redis.client.strlen(`packed_${keys[0]}`)
  const extraMs = (packedRead.ms - plainRead.ms) / times
  const pays =
    size <= compressedSize
      ? 'never pays'
      : `pays below ${Math.round(((size - compressedSize) * 8) / extraMs / 1_000)} Mbit/s`
  const text = `write ${packedWrite.ratio.toFixed(2)}x  read ${packedRead.ratio.toFixed(2)}x  ${pays}`
  line(`${count} items: ${size} to ${compressedSize} bytes (${(compressedSize / size).toFixed(2)}x)`, text)
}
await plain.close()
await packed.close()
await redis.stop()
