'use strict'
// The matchers, and that `.not` hides nothing; for jest and for vitest.
const statwit = require('statwit')
const dgram = require('node:dgram')
const matchers = require('statwit/matchers')

module.exports = ({ afterAll, afterEach, beforeEach, expect, test }) => {
  expect.extend(matchers)

  let metrics
  beforeEach(async () => {
    metrics = await statwit.session()
    const socket = dgram.createSocket('udp4')
    await new Promise(resolve => socket.send('login.attempt:1|c', metrics.port, metrics.host, resolve))
    socket.close()
  })
  afterEach(() => metrics.close())
  afterAll(async () => (await statwit.recorder()).stop())

  test('recorded, and not recorded', async () => {
    await expect(metrics).toHaveRecorded('incr login.attempt sum == 1')
    await expect(metrics).not.toHaveRecorded('incr logout')
  })

  test('a failure shows the explanation', async () => {
    await expect(expect(metrics).toHaveRecorded('incr login.attempts')).rejects.toThrow('login.attempt')
  })

  test('inconclusive is neither', async () => {
    await metrics.recorder.call('PUT', '/recorder/v1/faults', { dogstatsd: [{ drop: 1, session: metrics.name }] })
    const socket = dgram.createSocket('udp4')
    await new Promise(resolve => socket.send('logout:1|c', metrics.port, metrics.host, resolve))
    socket.close()
    await expect(expect(metrics).toHaveRecorded('incr logout')).rejects.toThrow('inconclusive')
    await expect(expect(metrics).not.toHaveRecorded('incr logout')).rejects.toThrow('inconclusive')
  })
}
