#!/usr/bin/env node
// The `vgic` command. In a checkout it first brings what is built up to date; in an installed package that is all there.

import { existsSync } from 'node:fs'

const builder = new URL('../scripts/build.mjs', import.meta.url)
const status = existsSync(builder) ? (await import(builder.href)).build() : 0
if (status !== 0) process.exitCode = 2
else await (await import('../dist/cli/process.js')).runProcess()
