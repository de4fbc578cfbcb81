export class Unavailable extends Error {}
export class Malformed extends Error {}
export class NotRecorded extends Error {
  report: Report
}

export class Inconclusive extends Error {
  report: Report
}

export class Report {
  verdict: 'pass' | 'fail' | 'inconclusive'
  /** whether the verdict is `pass`; throws Inconclusive */
  readonly passed: boolean
  text: string
  results: Array<{ expectation: string, verdict: Report['verdict'], observed: string, why: string | null, closest: unknown[] }>
  losses: unknown[]
  [more: string]: unknown
}

export interface AskOptions {
  /** milliseconds to wait until the expectations hold */
  within?: number
  /** milliseconds without new data for which they must still hold */
  settle?: number
  all_covered?: boolean
  prefix?: string
  ignore_tags?: string | string[]
  since?: number
}

export interface StartOptions {
  /** a file for the recording; in memory without one */
  db?: string
  args?: string[]
}

export class Recorder {
  constructor (url: string, token?: string)
  static find (options?: StartOptions): Promise<Recorder>
  static start (options?: StartOptions): Promise<Recorder>
  readonly url: string
  check (): Promise<void>
  status (): Promise<Record<string, unknown>>
  session (name?: string, options?: { label?: string }): Promise<Session>
  stop (): Promise<void>
  call (method: string, path: string, body?: unknown, waitMs?: number): Promise<any>
}

export class Session {
  readonly recorder: Recorder
  readonly name: string
  readonly host: string
  readonly port: number
  readonly apiKey: string
  readonly env: Record<string, string>
  ask (expectations: string | string[], options?: AskOptions): Promise<Report>
  expect (expectations: string | string[], options?: AskOptions): Promise<void>
  verify (catalogs: string | string[], more?: object): Promise<Report>
  lint (more?: object): Promise<Report>
  mark (): Promise<void>
  series (name?: string): Promise<Array<Record<string, any>>>
  samples (name?: string): Promise<Array<Record<string, any>>>
  events (): Promise<Array<Record<string, any>>>
  checks (): Promise<Array<Record<string, any>>>
  rejects (): Promise<Array<Record<string, any>>>
  setEnv (): () => void
  reset (): Promise<void>
  close (options?: { keep?: boolean }): Promise<void>
}

export function findBinary (): string
export function recorder (): Promise<Recorder>
export function session (t?: object, options?: { env?: boolean, name?: string }): Promise<Session>
