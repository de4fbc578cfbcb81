'use strict'
// Matchers for jest and vitest:
//     expect.extend(require('statwit/matchers'))
//     await expect(metrics).toHaveRecorded('incr login.attempt sum == 1')
// An inconclusive verdict fails with .not, too: it is neither to have recorded nor not to have.
const { Inconclusive } = require('.')

async function toHaveRecorded (session, expectations, options) {
  const report = await session.ask(expectations, options)
  if (report.verdict === 'inconclusive') throw new Inconclusive(report)
  return { pass: report.verdict === 'pass', message: () => `statwit: ${report.verdict}\n${report.text}` }
}

module.exports = { toHaveRecorded }
