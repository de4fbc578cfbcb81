'use strict'
// The application of the walk.
const StatsD = require('hot-shots')

module.exports = async name => {
  const client = new StatsD()
  client.increment('login.attempt', [`instance:${name === 'nobody' ? 'failure' : 'success'}`])
  await new Promise(resolve => client.close(resolve))
}
