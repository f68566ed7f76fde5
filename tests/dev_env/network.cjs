// Starts a Bluesky of our own: a real PLC directory, PDS and AppView from npm's @atproto/dev-env.
// Prints the PDS's address on one line once it answers, and runs until it is terminated.
// Needs DB_POSTGRES_URL, DB_POSTGRES_SCHEMA and REDIS_HOST ("127.0.0.1:PORT"); started by .ci/bluesky.sh.
'use strict'

const { TestNetwork } = require('@atproto/dev-env')

async function main() {
  const network = await TestNetwork.create({})
  process.stdout.write(`${network.pds.url}\n`)
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exit(1)
})
