// Builds kernel.img from kernel.S: node guests/silent-timer/build.mjs. Needs gcc-aarch64-linux-gnu; the result is committed.

import { spawnSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const compiler = process.env.VGIC_AARCH64_GCC ?? 'aarch64-linux-gnu-gcc'

function run(tool, args) {
  const { status, error } = spawnSync(tool, args, { stdio: 'inherit' })
  if (status === 0) return
  process.stderr.write(`${tool} ${error ? `cannot be started: ${error.message}` : 'failed'}\n`)
  process.exit(2)
}

const elf = here('kernel.elf')
const flags = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,-Ttext=0x40080000', '-Wl,-z,noexecstack']
run(compiler, [...flags, '-o', elf, here('kernel.S')])
run(compiler.replace(/gcc$/, 'objcopy'), ['-O', 'binary', '-j', '.text', elf, here('kernel.img')])
rmSync(elf)
process.stdout.write(`kernel.img: ${statSync(here('kernel.img')).size} bytes\n`)
