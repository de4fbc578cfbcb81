'use strict'
require('./matchers.story')(globalThis)
