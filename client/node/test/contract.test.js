'use strict'
// client/contract/cases.json, through every way to ask.
const assert = require('node:assert/strict')
const dgram = require('node:dgram')
const path = require('node:path')
const test = require('node:test')
const statwit = require('statwit')
const { toHaveRecorded } = require('statwit/matchers')

const cases = require(path.join(process.env.STATWIT_CONTRACT, 'cases.json'))

async function send (session, lines) {
  const socket = dgram.createSocket('udp4')
  for (const line of lines) {
    await new Promise((resolve, reject) => socket.send(line, session.port, session.host, why => why ? reject(why) : resolve()))
  }
  socket.close()
}

for (const one of cases) {
  test(one.name, async t => {
    const metrics = await statwit.session(t, { env: false })
    if (one.drop) await metrics.recorder.call('PUT', '/recorder/v1/faults', { dogstatsd: [{ drop: 1, session: metrics.name }] })
    await send(metrics, one.send)
    const says = one.says ?? []
    if (one.outcome === 'error') {
      await assert.rejects(metrics.expect(one.expect), why => why instanceof statwit.Malformed && says.every(part => why.message.includes(part)))
      return
    }
    const report = await metrics.ask(one.expect)
    assert.equal(report.verdict, one.outcome, report.text)
    for (const part of says) assert.ok(report.text.includes(part), report.text)
    if (one.outcome === 'pass') await metrics.expect(one.expect)
    else await assert.rejects(metrics.expect(one.expect), why => why instanceof statwit.NotRecorded && why.message.includes(report.text))
    if (one.outcome === 'inconclusive') await assert.rejects(toHaveRecorded(metrics, one.expect), statwit.NotRecorded)
    else assert.equal((await toHaveRecorded(metrics, one.expect)).pass, one.outcome === 'pass')
  })
}
