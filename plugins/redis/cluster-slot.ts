const slotCount = 16_384
/** CRC16 (XMODEM) of each byte. */
const crcOfByte = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc
})

/** The slot of a Redis Cluster, 0 to 16,383, that a key belongs to: CRC16 (XMODEM) of the key or of its hash tag. */
export function clusterSlot(key: string): number {
  let crc = 0
  for (const byte of Buffer.from(hashTag(key))) crc = ((crc << 8) & 0xff00) ^ (crcOfByte[(crc >> 8) ^ byte] ?? 0)
  return crc % slotCount
}

/** The text between the first brace and the first closing brace after it, unless it is empty; else the key. */
function hashTag(key: string): string {
  const start = key.indexOf('{') + 1
  const end = key.indexOf('}', start)
  return start > 0 && end > start ? key.slice(start, end) : key
}
