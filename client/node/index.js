'use strict'
// Asserts which metrics a program emitted, with a statwit recorder (see the README). No dependencies.
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const path = require('node:path')
const { version } = require('./package.json')

const API = 1 // the number in the ready line and in the status that this helper was written for
const NO_LABELS = "unknown field 'label'" // says an older server
const ANSWER_MS = 60000 // for an answer, beyond the time that the question itself may wait

/** No recorder: there is no binary, it does not start, or the server does not answer as one. */
class Unavailable extends Error {
  name = 'Unavailable'
}

/** The server refused a question; the message shows the place. */
class Malformed extends Error {
  name = 'Malformed'
}

/** The verdict is `fail`. The message is the server's explanation. */
class NotRecorded extends Error {
  name = 'NotRecorded'
  constructor (report) {
    super(`statwit: ${report.verdict}\n${report.text}`)
    this.report = report
  }
}

/** Something was lost that could have changed the verdict. It is no NotRecorded, for a test that waits for one. */
class Inconclusive extends Error {
  name = 'Inconclusive'
  constructor (report) {
    super(`statwit: ${report.verdict}\n${report.text}`)
    this.report = report
  }
}

// Throws unless the verdict is pass.
function check (report) {
  if (report.verdict === 'inconclusive') throw new Inconclusive(report)
  if (report.verdict !== 'pass') throw new NotRecorded(report)
}

/** A verdict and all that the server says of it. */
class Report {
  constructor (answer) {
    Object.assign(this, answer, { text: answer.text.trimEnd() })
  }

  /** Whether the verdict is `pass`. An inconclusive one is neither a yes nor a no, so it throws. */
  get passed () {
    if (this.verdict === 'inconclusive') throw new Inconclusive(this)
    return this.verdict === 'pass'
  }
}

function isProgram (file) {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

/** The path of the binary: STATWIT_BIN, the one of the package for this platform, the one in PATH. */
function findBinary () {
  const given = process.env.STATWIT_BIN
  if (given) {
    if (!isProgram(given)) throw new Unavailable(`STATWIT_BIN is '${given}', which is no program that can be run`)
    return given
  }
  const platform = `@statwit/${process.platform}-${process.arch}`
  try {
    return require.resolve(`${platform}/bin/statwit`)
  } catch {}
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, 'statwit')
    if (folder && isProgram(file) && !isThisPackage(file)) return file
  }
  throw new Unavailable(`there is no statwit program: neither is ${platform} installed (were optional dependencies left out?), ` +
    'nor is statwit in PATH. Set STATWIT_BIN to its path, or start it elsewhere and set STATWIT_URL')
}

// npm puts this package's own bin.js into PATH under the same name.
function isThisPackage (file) {
  return fs.realpathSync(file) === path.join(__dirname, 'bin.js')
}

function checkApi (told, who) {
  if (told?.api !== API) {
    throw new Unavailable(`${who} speaks api ${told?.api}, and this helper (${version}) speaks api ${API}: install the two of one version`)
  }
}

// The first line of the server's stdout, read as JSON.
function readyLine (child, program) {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', chunk => {
      text += chunk
      if (!text.includes('\n')) return
      try {
        resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
      } catch {
        reject(new Unavailable(`${program} does not answer as statwit does`))
      }
    })
    child.on('error', why => reject(new Unavailable(`cannot start ${program}: ${why.message}`)))
    child.on('close', status => reject(new Unavailable(`${program} ended with status ${status} before it was ready`)))
  })
}

/** A running statwit: one that somebody else runs (`new Recorder(url)`), or a private one (`Recorder.start()`). */
class Recorder {
  #agent
  #child
  #protocol

  constructor (url, token = process.env.STATWIT_TOKEN) {
    let at
    try {
      at = new URL(url)
    } catch {}
    if (at?.protocol !== 'http:' && at?.protocol !== 'https:') {
      throw new Unavailable(`'${url}' is no URL of a statwit server, such as http://127.0.0.1:8125`)
    }
    this.url = url.replace(/\/+$/, '')
    this.token = token
    this.#protocol = at.protocol === 'https:' ? https : http
    this.#agent = new this.#protocol.Agent({ keepAlive: true })
  }

  /** The recorder of STATWIT_URL where that is set, else a private one. */
  static async find (options) {
    if (!process.env.STATWIT_URL) return Recorder.start(options)
    const recorder = new Recorder(process.env.STATWIT_URL)
    await recorder.check()
    return recorder
  }

  /** A private recorder on free ports. It ends with this process, however that ends. `db`: a file for the recording. */
  static async start ({ db, args = [] } = {}) {
    const program = findBinary()
    const child = spawn(program, ['serve', '--private', ...(db ? ['--db', db] : []), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.on('error', () => {}) // it ended; whoever asks it is told
    try {
      const ready = await readyLine(child, program)
      checkApi(ready, program)
      for (const one of [child, child.stdin, child.stdout]) one.unref() // the recorder does not keep this process alive
      const recorder = new Recorder(ready.http, null) // the token of the environment is for another server
      recorder.#child = child
      return recorder
    } catch (why) {
      child.kill('SIGKILL')
      throw why
    }
  }

  /** Throws Unavailable unless a statwit of the right kind answers. */
  async check () {
    checkApi(await this.status(), this.url)
  }

  async status () {
    return this.call('GET', '/recorder/v1/status')
  }

  /** A new session, empty and apart from all others. */
  async session (name, { label } = {}) {
    const body = { ...name && { name }, ...label && { label: shortened(label) } }
    const make = () => this.call('POST', '/recorder/v1/sessions', body)
    return new Session(this, await make().catch(why => {
      // An older server knows no labels, and is as good without one.
      if (!(body.label && why instanceof Malformed && why.message.startsWith(NO_LABELS))) throw why
      delete body.label
      return make()
    }))
  }

  /** Ends a private recorder; closes the connections to another. */
  async stop () {
    this.#agent.destroy()
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    await new Promise(resolve => {
      child.once('exit', resolve)
      child.stdin.end()
    })
  }

  /** One request of the control API (`/recorder/v1`, see the server's openapi.yaml); resolves to the answer's JSON. */
  async call (method, path, body, waitMs = 0) {
    const { status, text } = await this.#request(method, path, body, waitMs)
    let value
    try {
      value = text ? JSON.parse(text) : {}
    } catch {
      throw new Unavailable(`${this.url} did not answer with JSON: is it a statwit server?`)
    }
    if (status === 401) throw new Unavailable(`${this.url} asks for a token: set STATWIT_TOKEN`)
    if (status >= 500) throw new Unavailable(`${this.url}: ${value.error ?? status}`)
    if (status >= 400) throw new Malformed(value.text ?? value.error ?? `${method} ${path}: ${status}`)
    return value
  }

  async #request (method, path, body, waitMs) {
    const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers = {}
    if (this.token) headers.authorization = `Bearer ${this.token}`
    if (data) Object.assign(headers, { 'content-type': 'application/json', 'content-length': data.length })
    for (;;) {
      let request
      try {
        return await new Promise((resolve, reject) => {
          request = this.#protocol.request(this.url + path, { method, headers, agent: this.#agent, timeout: waitMs + ANSWER_MS })
          request.on('response', response => {
            let text = ''
            response.setEncoding('utf8')
            response.on('data', chunk => { text += chunk })
            response.on('end', () => resolve({ status: response.statusCode, text }))
            response.on('error', reject)
          })
          request.on('timeout', () => request.destroy(new Error('no answer in time')))
          request.on('error', reject)
          request.end(data)
        })
      } catch (why) {
        // The server may have closed a kept connection; only then the same question is asked once more.
        if (!(request.reusedSocket && why.code === 'ECONNRESET')) throw new Unavailable(`${this.url} does not answer: ${why.message || why.code}`)
      }
    }
  }
}

/** The metrics of one test, apart from all others. `env` holds the variables that lead a client here. */
class Session {
  #since

  constructor (recorder, made) {
    this.recorder = recorder
    this.name = made.name
    this.env = made.env
    this.apiKey = made.api_key
    const udp = made.dogstatsd.udp
    this.host = udp.slice(0, udp.lastIndexOf(':')).replace(/^\[|\]$/g, '')
    this.port = Number(udp.slice(udp.lastIndexOf(':') + 1))
  }

  /** The Report on these expectations: verdict, passed, text, results, … `within`: milliseconds to wait until they hold. */
  async ask (expectations, { within = 0, settle = 0, ...more } = {}) {
    const question = { expect: [].concat(expectations), session: this.name, within_ms: within, ...more }
    if (settle) question.settle_ms = settle
    return this.#judge('expect', question, within + settle)
  }

  /** Throws NotRecorded, or Inconclusive, unless the verdict on these expectations is `pass`. */
  async expect (expectations, options) {
    check(await this.ask(expectations, options))
  }

  /** The report on the names and tags of the session against these catalog files. */
  async verify (catalogs, more = {}) {
    const catalog = [].concat(catalogs).map(file => ({ file, text: fs.readFileSync(file, 'utf8') }))
    return this.#judge('verify', { catalog, session: this.name, ...more })
  }

  /** The report on what Datadog would rewrite, drop or charge for. */
  async lint (more = {}) {
    return this.#judge('lint', { session: this.name, ...more })
  }

  /** From now on this session looks only at what comes later: for one client that several tests share. */
  async mark () {
    this.#since = (await this.recorder.call('POST', '/recorder/v1/marks')).mark
  }

  async series (name) { return this.#list('series', name) }
  async samples (name) { return this.#list('samples', name) }
  async events () { return this.#list('events') }
  async checks () { return this.#list('service_checks') }
  async rejects () { return this.#list('rejects') }

  /** Sets the variables of process.env that lead clients here; returns the function that sets them back. */
  setEnv () {
    const before = Object.keys(this.env).map(name => [name, process.env[name]])
    Object.assign(process.env, this.env)
    return () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  }

  /** Forgets what was recorded. */
  async reset () {
    await this.recorder.call('POST', `/recorder/v1/reset?session=${encodeURIComponent(this.name)}`)
  }

  /** Ends the session. What is sent to it from now on reaches no other test. `keep`: its recording stays. */
  async close ({ keep = false } = {}) {
    await this.recorder.call('DELETE', `/recorder/v1/sessions/${encodeURIComponent(this.name)}${keep ? '?keep=1' : ''}`)
  }

  /** Array.from, and so `not.toContain`, would take a session for an empty list. */
  [Symbol.iterator] () {
    throw new TypeError('a session is no list: expect `no any NAME`, or look into series()')
  }

  async #judge (what, question, waitMs) {
    if (this.#since !== undefined) question = { since: this.#since, ...question }
    return new Report(await this.recorder.call('POST', `/recorder/v1/${what}`, question, waitMs))
  }

  async #list (what, name) {
    const query = new URLSearchParams({ session: this.name, limit: '100000000' })
    if (name) query.set('name', name)
    if (this.#since !== undefined) query.set('since', this.#since)
    return (await this.recorder.call('GET', `/recorder/v1/${what}?${query}`))[what]
  }
}

let shared

/** The recorder of this process, found or started when it is first asked for. */
function recorder () {
  shared ??= Recorder.find()
  return shared
}

/** A label has at most 1,024 bytes, and no NUL. */
function shortened (label) {
  const bytes = Buffer.from(label.replaceAll('\0', ''))
  return bytes.length <= 1024 ? bytes.toString() : bytes.subarray(0, 1024).toString().replace(/\ufffd+$/, '')
}

/**
 * A session for the test `t`, or for what else has `after` (node:test) or `onTestFinished` (vitest); it ends with the test.
 * process.env leads to it meanwhile, unless `env` is false: tests that run at the same time share process.env, so they pass
 * `host` and `port` to their clients instead.
 */
async function session (t, { env = true, name } = {}) {
  const label = t?.fullName ?? t?.task?.name ?? t?.name
  const made = await (await recorder()).session(name, { label: typeof label === 'string' ? label : undefined })
  const restore = env ? made.setEnv() : () => {}
  const finished = t?.after ?? t?.onTestFinished
  finished?.call(t, async () => {
    restore()
    await made.close()
  })
  return made
}

module.exports = { Inconclusive, Malformed, NotRecorded, Recorder, Report, Session, Unavailable, findBinary, recorder, session }
