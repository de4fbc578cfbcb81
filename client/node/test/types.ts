// Compiled by tsc: the types say what the code does.
import * as statwit from 'statwit'
import { toHaveRecorded } from 'statwit/matchers'

export async function login (): Promise<boolean> {
  const metrics: statwit.Session = await statwit.session(undefined, { env: false })
  await metrics.expect(['incr login.attempt sum == 1'], { within: 5000 })
  const report: statwit.Report = await metrics.ask('no any errors.*')
  const { pass } = await toHaveRecorded(metrics, 'incr login.attempt')
  return pass && report.verdict === 'pass'
}
