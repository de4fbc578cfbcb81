'use strict'
// `import 'statwit/jest-globals'` adds the matchers to the `expect` of @jest/globals.
const { expect } = require('@jest/globals')
const matchers = require('./matchers')

expect.extend(matchers)
module.exports = matchers
