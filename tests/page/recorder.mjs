// The real binary on free ports, a browser of the system's, and what the tests ask of both.
import {spawn} from 'node:child_process';
import dgram from 'node:dgram';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {chromium} from 'playwright-core';

// Where a page may ask: what was started here.
export const ours = ['about:blank'];

// `binary`: its path, or a list that ends with it.
export async function startRecorder(binary, ...options) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(DD_|STATWIT_)/.test(k)));
  const [command, ...rest] = [binary].flat();
  const child = spawn(command, [...rest, 'serve', '--private', ...options], {stdio: ['pipe', 'pipe', 'inherit'], env});
  const lines = createInterface({input: child.stdout});
  const ready = await new Promise((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`the recorder ended with ${code}`)));
  });
  ours.push(ready.http);
  const udp = dgram.createSocket('udp4');
  return {
    ready, url: ready.http,
    send(text, address = ready.dogstatsd.udp) {
      const [host, port] = address.split(':');
      return new Promise((resolve, reject) => udp.send(text, Number(port), host, (e) => (e ? reject(e) : resolve())));
    },
    async ask(what, options = {}) {
      const answer = await fetch(`${ready.http}/recorder/v1/${what}`, options);
      return answer.json();
    },
    async stop() {
      udp.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

// `statwit view` on recordings; its address ends with a slash. A path that is not text goes through the shell, byte for byte.
export async function startView(binary, ...files) {
  const octal = (bytes) => [...bytes].map((b) => `\\${b.toString(8).padStart(3, '0')}`).join('');
  const raw = files.some((f) => typeof f !== 'string');
  const child = raw ? spawn('bash', ['-c', `exec "$0" view ${files.map((f) => `$'${octal(Buffer.from(f))}'`).join(' ')}`, binary], {stdio: ['ignore', 'pipe', 'inherit']})
    : spawn(binary, ['view', ...files], {stdio: ['ignore', 'pipe', 'inherit']});
  const url = await new Promise((resolve, reject) => {
    createInterface({input: child.stdout}).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`view ended with ${code}`)));
  });
  ours.push(url);
  return {url, stop() {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    return ended;
  }};
}

// A profile of its own, nothing that looks things up elsewhere.
export async function startBrowser(executable) {
  const folder = mkdtempSync(path.join(tmpdir(), 'statwit-page-'));
  const browser = await chromium.launch({executablePath: executable, headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'], env: {...process.env, HOME: folder}});
  return {browser, async stop() { await browser.close(); rmSync(folder, {recursive: true, force: true}); }};
}
