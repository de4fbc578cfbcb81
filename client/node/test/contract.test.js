'use strict'
// client/contract/cases.json, through every way to ask.
const assert = require('node:assert/strict')
const dgram = require('node:dgram')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('node:test')
const statwit = require('statwit')
const { toHaveRecorded } = require('statwit/matchers')

const cases = require(path.join(process.env.STATWIT_CONTRACT, 'cases.json'))
const table = require(path.join(process.env.STATWIT_CONTRACT, 'ways.json'))

async function arrange (session, one) {
  if (one.drop) await session.recorder.call('PUT', '/recorder/v1/faults', { dogstatsd: [{ drop: 1, session: session.name }] })
  const socket = dgram.createSocket('udp4')
  for (const line of one.send) {
    await new Promise((resolve, reject) => socket.send(line, session.port, session.host, why => why ? reject(why) : resolve()))
  }
  socket.close()
}

for (const one of cases.filter(one => !one.way)) {
  test(one.name, async t => {
    const metrics = await statwit.session(t, { env: false })
    await arrange(metrics, one)
    const says = one.says ?? []
    if (one.outcome === 'error') {
      await assert.rejects(metrics.expect(one.expect), why => why instanceof statwit.Malformed && says.every(part => why.message.includes(part)))
      return
    }
    const report = await metrics.ask(one.expect)
    assert.equal(report.verdict, one.outcome, report.text)
    for (const part of says) assert.ok(report.text.includes(part), report.text)
    const thrown = one.outcome === 'fail' ? statwit.NotRecorded : statwit.Inconclusive
    if (one.outcome === 'pass') await metrics.expect(one.expect)
    else await assert.rejects(metrics.expect(one.expect), why => why instanceof thrown && why.message.includes(report.text))
    if (one.outcome === 'inconclusive') await assert.rejects(toHaveRecorded(metrics, one.expect), statwit.Inconclusive)
    else assert.equal((await toHaveRecorded(metrics, one.expect)).pass, one.outcome === 'pass')
  })
}

// What a test writes in each way of ways.json: each must reject.
const ways = {
  claim: (metrics, expect) => metrics.expect(expect),
  wait: (metrics, expect) => metrics.expect(expect, { within: 10 }),
  report: async (metrics, expect) => assert.ok((await metrics.ask(expect)).passed),
  'negated report': async (metrics, expect) => assert.ok(!(await metrics.ask(expect)).passed),
  alternative: async (metrics, expect) => assert.ok((await metrics.ask(expect)).passed || true),
  in: async metrics => assert.ok(![...metrics].includes('x')),
  'caught failure': (metrics, expect) => assert.rejects(metrics.expect(expect), statwit.NotRecorded),
  catalog: async (metrics, _, file) => assert.ok((await metrics.verify(file)).passed),
  lint: async metrics => assert.ok((await metrics.lint()).passed)
}

test('every way of the table is tried', () => {
  const listed = Object.keys(table).filter(way => !table[way].node.startsWith('none: '))
  assert.deepEqual(Object.keys(ways).sort(), listed.sort())
  for (const way of listed) assert.ok(cases.some(one => one.way === way), way)
})

for (const one of cases.filter(one => ways[one.way])) {
  test(one.name, async t => {
    const metrics = await statwit.session(t, { env: false })
    await arrange(metrics, one)
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'statwit-node-'))
    t.after(() => fs.rmSync(folder, { recursive: true }))
    fs.writeFileSync(path.join(folder, 'catalog.json'), JSON.stringify(one.catalog ?? {}))
    await assert.rejects(ways[one.way](metrics, one.expect, path.join(folder, 'catalog.json')),
      why => one.says.every(part => why.message.includes(part)))
  })
}
