// Loaded before a program: `localhost` has the addresses 127.0.0.1 and 127.0.0.2, whatever the machine says.
import dns from 'node:dns'

const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
const { lookup } = dns

dns.lookup = (host, ...rest) => {
  const done = rest.at(-1)
  if (host !== 'localhost') lookup(host, ...rest)
  else if (rest[0]?.all === true) done(null, addresses)
  else done(null, addresses[0].address, 4)
}
