'use strict'
// The matchers, and that nothing hides an inconclusive verdict; for jest and for vitest.
const statwit = require('statwit')
const dgram = require('node:dgram')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const matchers = require('statwit/matchers')

const cases = require(path.join(process.env.STATWIT_CONTRACT, 'cases.json'))
const table = require(path.join(process.env.STATWIT_CONTRACT, 'ways.json'))

async function send (session, ...lines) {
  const socket = dgram.createSocket('udp4')
  for (const line of lines) await new Promise(resolve => socket.send(line, session.port, session.host, resolve))
  socket.close()
}

module.exports = ({ afterAll, afterEach, beforeEach, expect, test }) => {
  expect.extend(matchers)

  let metrics
  beforeEach(async () => {
    metrics = await statwit.session()
  })
  afterEach(() => metrics.close())
  afterAll(async () => (await statwit.recorder()).stop())

  test('recorded, and not recorded', async () => {
    await send(metrics, 'login.attempt:1|c')
    await expect(metrics).toHaveRecorded('incr login.attempt sum == 1')
    await expect(metrics).not.toHaveRecorded('incr logout')
  })

  test('a failure shows the explanation', async () => {
    await send(metrics, 'login.attempt:1|c')
    await expect(expect(metrics).toHaveRecorded('incr login.attempts')).rejects.toThrow('login.attempt')
  })

  // What a test writes in each way of ways.json: each must reject.
  const ways = {
    claim: claims => expect(metrics).toHaveRecorded(claims),
    wait: claims => expect(metrics).toHaveRecorded(claims, { within: 10 }),
    report: async claims => expect((await metrics.ask(claims)).passed).toBe(true),
    'negated report': async claims => expect((await metrics.ask(claims)).passed).not.toBe(true),
    alternative: async claims => expect((await metrics.ask(claims)).passed || true).toBe(true),
    'negated claim': claims => expect(metrics).not.toHaveRecorded(claims),
    in: async () => expect(metrics).not.toContain('x'),
    'caught failure': claims => expect(metrics.expect(claims)).rejects.toThrow(statwit.NotRecorded),
    catalog: async (_, file) => expect((await metrics.verify(file)).passed).toBe(true),
    lint: async () => expect((await metrics.lint()).passed).toBe(true)
  }

  test('every way of the table is tried', () => {
    const listed = Object.keys(table).filter(way => !table[way].jest.startsWith('none: '))
    expect(Object.keys(ways).sort()).toEqual(listed.sort())
    for (const way of listed) expect(cases.map(one => one.way)).toContain(way)
  })

  for (const one of cases.filter(one => ways[one.way])) {
    test(one.name, async () => {
      await metrics.recorder.call('PUT', '/recorder/v1/faults', { dogstatsd: [{ drop: 1, session: metrics.name }] })
      await send(metrics, ...one.send)
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'statwit-node-'))
      fs.writeFileSync(path.join(folder, 'catalog.json'), JSON.stringify(one.catalog ?? {}))
      let said
      try {
        await ways[one.way](one.expect, path.join(folder, 'catalog.json'))
      } catch (why) {
        said = why.message
      }
      fs.rmSync(folder, { recursive: true })
      expect(said).toEqual(expect.any(String))
      for (const part of one.says) expect(said).toContain(part)
    })
  }
}
