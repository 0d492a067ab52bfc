// Builds probe from probe.c: node guests/ptrace-probe/build.mjs. Needs gcc-aarch64-linux-gnu; the result is committed.

import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const compiler = process.env.VGIC_AARCH64_GCC ?? 'aarch64-linux-gnu-gcc'

function run(tool, args) {
  const { status, error } = spawnSync(tool, args, { stdio: 'inherit' })
  if (status === 0) return
  process.stderr.write(`${tool} ${error ? `cannot be started: ${error.message}` : 'failed'}\n`)
  process.exit(2)
}

const flags = [
  '-O1',
  '-static',
  '-nostdlib',
  '-ffreestanding',
  '-fno-stack-protector',
  '-fno-pic',
  '-Wl,--build-id=none',
  '-s',
]
run(compiler, [
  ...flags,
  '-fno-asynchronous-unwind-tables',
  '-Wl,-z,noseparate-code',
  '-o',
  here('probe'),
  here('probe.c'),
])
process.stdout.write(`probe: ${statSync(here('probe')).size} bytes\n`)
