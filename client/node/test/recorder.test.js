'use strict'
const assert = require('node:assert/strict')
const { spawn, spawnSync } = require('node:child_process')
const dgram = require('node:dgram')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const test = require('node:test')
const StatsD = require('hot-shots')
const statwit = require('statwit')

async function send (session, ...lines) {
  const socket = dgram.createSocket('udp4')
  for (const line of lines) await new Promise(resolve => socket.send(line, session.port, session.host, resolve))
  socket.close()
}

// Runs fn with these variables; undefined takes one away.
async function withEnv (variables, fn) {
  const before = Object.keys(variables).map(name => [name, process.env[name]])
  const set = pairs => { for (const [name, value] of pairs) value === undefined ? delete process.env[name] : process.env[name] = value }
  set(Object.entries(variables))
  try {
    return await fn()
  } finally {
    set(before)
  }
}

function folder (t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'statwit-node-'))
  t.after(() => fs.rmSync(made, { recursive: true }))
  return made
}

// The package with the binary is found before PATH: what is about PATH is tested where that package is not installed.
const carried = (() => {
  try {
    return require.resolve(`@statwit/${process.platform}-${process.arch}/bin/statwit`)
  } catch {}
})()
const needsBare = { skip: carried && 'the package with the binary is installed' }

test('the binary of the package for this platform comes before PATH', { skip: !carried && 'that package is not installed' }, () =>
  withEnv({ STATWIT_BIN: undefined, PATH: '/nowhere' }, () => assert.equal(statwit.findBinary(), carried)))

test('no binary: the error names what to set', needsBare, async () => {
  await withEnv({ STATWIT_BIN: undefined, PATH: '/nowhere' }, () =>
    assert.throws(() => statwit.findBinary(), /STATWIT_BIN.*STATWIT_URL/s))
  await withEnv({ STATWIT_BIN: '/nowhere/statwit' }, () => assert.throws(() => statwit.findBinary(), /\/nowhere\/statwit/))
})

test('a binary in PATH is found', needsBare, async t => {
  const bin = folder(t)
  fs.symlinkSync(process.env.STATWIT_BIN, path.join(bin, 'statwit'))
  await withEnv({ STATWIT_BIN: undefined, PATH: bin }, () => assert.equal(statwit.findBinary(), path.join(bin, 'statwit')))
})

for (const [text, says] of [
  ['exit 3', /status 3/],
  ['echo no json; cat', /does not answer as statwit does/],
  ['echo \'{"api":99,"http":"http://127.0.0.1:1"}\'; cat', /api 99.*api 1/],
  ['echo \'{"http":"http://127.0.0.1:1"}\'; cat', /api undefined/]
]) {
  test(`a binary that is no statwit of ours: ${text}`, async t => {
    const program = path.join(folder(t), 'statwit')
    fs.writeFileSync(program, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    await withEnv({ STATWIT_BIN: program }, () => assert.rejects(statwit.Recorder.start(), says))
  })
}

for (const url of ['', '127.0.0.1:8125', 'udp://127.0.0.1', 'http://127.0.0.1:1']) {
  test(`a URL that leads nowhere: '${url}'`, () => assert.rejects(async () => new statwit.Recorder(url).check(), statwit.Unavailable))
}

for (const [status, body, says] of [
  [200, '<html>', /is it a statwit server/], [404, 'not found', /is it a statwit server/], [200, '[]', /api undefined/],
  [200, 'null', /api undefined/], [200, '{}', /api undefined/], [200, '{"api":2}', /api 2.*api 1/], [401, '{}', /STATWIT_TOKEN/],
  [503, '{"error":"busy"}', /busy/]
]) {
  test(`another server: ${status} ${body}`, async t => {
    const server = http.createServer((_, response) => response.writeHead(status).end(body))
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => { server.closeAllConnections?.(); server.close() })
    await withEnv({ STATWIT_URL: `http://127.0.0.1:${server.address().port}` }, () =>
      assert.rejects(statwit.Recorder.find(), why => why instanceof statwit.Unavailable && says.test(why.message)))
  })
}

test('an older server knows no label', async t => {
  const asked = []
  let says = "unknown field 'label'; did you mean 'table'?"
  const server = http.createServer((request, response) => {
    let text = ''
    request.on('data', chunk => { text += chunk })
    request.on('end', () => {
      asked.push(text)
      if (text.includes('label')) return response.writeHead(400).end(JSON.stringify({ error: says }))
      response.writeHead(201).end('{"name":"a","env":{},"api_key":"","dogstatsd":{"udp":"127.0.0.1:1"}}')
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => { server.closeAllConnections?.(); server.close() })
  const recorder = new statwit.Recorder(`http://127.0.0.1:${server.address().port}`)
  assert.equal((await recorder.session('a', { label: 'b' })).name, 'a')
  assert.deepEqual(asked, ['{"name":"a","label":"b"}', '{"name":"a"}'])
  says = 'no label today'
  await assert.rejects(recorder.session('a', { label: 'b' }), /no label today/)
  assert.equal(asked.length, 3)
})

test('a list is whole', async t => {
  const metrics = await statwit.session(t)
  for (let i = 0; i < 60; i++) await send(metrics, 'n:1|c\n'.repeat(200))
  await metrics.expect('incr n samples == 12000')
  assert.equal((await metrics.samples('n')).length, 12000)
})

test('the server of STATWIT_URL is not started', async t => {
  const running = await statwit.recorder()
  await withEnv({ STATWIT_URL: running.url, STATWIT_BIN: '/nowhere/statwit' }, async () => {
    const found = await statwit.Recorder.find()
    const session = await found.session('by-url')
    assert.equal(session.name, 'by-url')
    await session.close()
    await found.stop()
  })
  assert.ok((await running.status()).version)
})

test('the settings of the machine do not matter', async () => {
  await withEnv({ DD_DOGSTATSD_SOCKET: '/nowhere/dsd.socket', DD_TAGS: 'team:x', STATWIT_DB: '/nowhere/statwit.db', STATWIT_TOKEN: 'not\none', HOME: '/nowhere', http_proxy: 'http://127.0.0.1:1' }, async () => {
    const recorder = await statwit.Recorder.start()
    const session = await recorder.session()
    await send(session, 'a:1|c')
    await session.expect('incr a[] sum == 1')
    await recorder.stop()
  })
})

test('a home that cannot be written to', () =>
  withEnv({ HOME: '/proc', TMPDIR: '/proc', XDG_CACHE_HOME: '/proc', XDG_DATA_HOME: '/proc', XDG_RUNTIME_DIR: '/proc' }, async () => {
    const recorder = await statwit.Recorder.start()
    const session = await recorder.session()
    await send(session, 'a:1|c')
    await session.expect('incr a sum == 1')
    await recorder.stop()
  }))

test('no server outlives a killed test', { timeout: 60000 }, async () => {
  const child = spawn(process.execPath, ['-e', `
    require('statwit').Recorder.start().then(recorder => recorder.status()).then(status => {
      require('node:child_process').spawn('cat', { stdio: [0, 'ignore', 'ignore'] }) // a child that lives on must not keep the server alive
      require('node:fs').writeSync(1, status.pid + '\\n')
      process.kill(process.pid, 'SIGKILL')
    })`], { stdio: ['pipe', 'pipe', 'inherit'], cwd: __dirname })
  let pid = ''
  for await (const chunk of child.stdout) pid += chunk
  await new Promise(resolve => child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve())
  assert.equal(child.signalCode, 'SIGKILL')
  await waitForEnd(Number(pid))
  child.stdin.destroy()
})

// A process that is not our child: `tail --pid` returns when it has ended.
function waitForEnd (pid) {
  return new Promise((resolve, reject) =>
    spawn('tail', [`--pid=${pid}`, '-f', '/dev/null'], { stdio: 'ignore' }).once('exit', status => status === 0 ? resolve() : reject(new Error('tail'))))
}

test('a recorder does not keep the process alive', () => {
  const ran = spawnSync(process.execPath, ['-e', "require('statwit').session().then(s => s.expect('no any *')).then(() => console.log('done'))"],
    { cwd: __dirname, timeout: 60000 })
  assert.equal(ran.status, 0, String(ran.stderr))
  assert.equal(String(ran.stdout), 'done\n')
})

test('a kept recording', async t => {
  const db = path.join(folder(t), 'kept.db')
  const recorder = await statwit.Recorder.start({ db })
  await recorder.stop()
  await recorder.stop()
  assert.ok(fs.existsSync(db))
})

test('tests that run at the same time see their own metrics only', async t => {
  await Promise.all(Array.from({ length: 8 }, async (_, n) => {
    const metrics = await statwit.session(t, { env: false })
    await send(metrics, `a:${n}|c`)
    await metrics.expect([`incr a sum == ${n}`, 'incr a samples == 1'])
  }))
})

test('the environment leads to the session while the test runs', async t => {
  const before = process.env.DD_DOGSTATSD_PORT
  await t.test('inner', async t => {
    const metrics = await statwit.session(t)
    assert.equal(process.env.DD_DOGSTATSD_PORT, String(metrics.port))
  })
  assert.equal(process.env.DD_DOGSTATSD_PORT, before)
})

test('within waits for what comes', async t => {
  const metrics = await statwit.session(t)
  const waiting = metrics.expect('incr late', { within: 30000 })
  await send(metrics, 'late:1|c')
  await waiting
})

test('what comes after the end reaches no other test', async t => {
  const ended = await statwit.session()
  await ended.close()
  const metrics = await statwit.session(t)
  await send(ended, 'late:1|c')
  await metrics.expect('no any *')
})

test('lists, reset and marks', async t => {
  const metrics = await statwit.session(t)
  await send(metrics, 'a.b:1|c|#env:ci', 'c:2|g', '_e{1,1}:T|x', '_sc|up|0', 'bad')
  assert.deepEqual((await metrics.series('a.*')).map(s => s.name), ['a.b'])
  assert.deepEqual((await metrics.samples('c')).map(s => s.value), [2])
  assert.deepEqual((await metrics.events()).map(e => e.title), ['T'])
  assert.deepEqual((await metrics.checks()).map(c => c.status), ['ok'])
  assert.deepEqual((await metrics.rejects()).map(r => r.text), ['bad'])
  await metrics.mark()
  await metrics.expect('no any *')
  assert.deepEqual(await metrics.series(), [])
  await metrics.reset()
  assert.equal((await metrics.lint()).verdict, 'pass')
})

test('a session is labelled with its test', async t => {
  const metrics = await statwit.session(t)
  const label = async session => (await session.recorder.call('GET', `/recorder/v1/sessions/${session.name}`)).label
  assert.equal(await label(metrics), t.fullName ?? t.name)
  const long = await metrics.recorder.session(undefined, { label: 'é€😀'.repeat(1000) })
  assert.match(await label(long), /^(é€😀)+é?€?$/u)
  await long.close()
})

test('a catalog', async t => {
  const metrics = await statwit.session(t)
  const catalog = path.join(folder(t), 'catalog.json')
  fs.writeFileSync(catalog, '{"metrics": {"a": {"type": "count"}}}')
  await send(metrics, 'a:1|c')
  assert.equal((await metrics.verify(catalog)).verdict, 'pass')
  await send(metrics, 'b:1|c')
  assert.equal((await metrics.verify(catalog)).verdict, 'fail')
})

test('hot-shots, made in the test', async t => {
  const metrics = await statwit.session(t)
  const client = new StatsD()
  client.increment('login.attempt', ['instance:failure'])
  await new Promise(resolve => client.close(resolve))
  await metrics.expect('incr login.attempt[instance:failure] sum == 1')
})

test('npx statwit runs the program', () => {
  const ran = spawnSync(process.execPath, [require.resolve('statwit/package.json').replace('package.json', 'bin.js'), '--version'])
  assert.match(String(ran.stdout), new RegExp(`^statwit ${require('statwit/package.json').version}$`, 'm'))
  if (carried) return
  const without = spawnSync(process.execPath, [require.resolve('statwit/package.json').replace('package.json', 'bin.js')],
    { env: { PATH: '/nowhere' } })
  assert.equal(without.status, 3)
  assert.match(String(without.stderr), /STATWIT_BIN/)
})
