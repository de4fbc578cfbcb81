#!/usr/bin/env node
'use strict'
// `npx statwit …` runs the statwit program.
const { spawnSync } = require('node:child_process')
const { findBinary } = require('.')

try {
  const { status, signal, error } = spawnSync(findBinary(), process.argv.slice(2), { stdio: 'inherit' })
  if (error) throw error
  if (signal) process.kill(process.pid, signal)
  process.exitCode = status
} catch (why) {
  console.error(`statwit: ${why.message}`)
  process.exitCode = 3
}
