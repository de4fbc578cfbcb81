'use strict'
// `require('statwit/jest')` adds the matchers to jest's global `expect`.
const matchers = require('./matchers')

globalThis.expect?.extend(matchers)
module.exports = matchers
