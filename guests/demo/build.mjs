// Builds demo.img from the sources beside it: node guests/demo/build.mjs. Needs gcc-aarch64-linux-gnu; the result is committed,
// so that nobody else does.

import { spawnSync } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const compiler = process.env.VGIC_AARCH64_GCC ?? 'aarch64-linux-gnu-gcc'
const flags = [
  ...['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11', '-ffreestanding', '-nostdlib', '-static', '-fno-pic'],
  ...[
    '-fno-stack-protector',
    '-fno-asynchronous-unwind-tables',
    '-mgeneral-regs-only',
    '-mstrict-align',
    '-march=armv8-a',
  ],
  ...['-fno-tree-loop-distribute-patterns', '-Wno-main', '-mcmodel=small', '-Wl,--build-id=none', '-Wl,-z,noexecstack'],
]
const sources = ['start.S', 'main.c', 'gic.c', 'its.c', 'tree.c', 'console.c'].map(here)

function run(tool, args) {
  const { status, error } = spawnSync(tool, args, { stdio: 'inherit' })
  if (status === 0) return
  process.stderr.write(`${tool} ${error ? `cannot be started: ${error.message}` : 'failed'}\n`)
  process.exit(2)
}

const elf = here('demo.elf')
run(compiler, [...flags, '-T', here('link.ld'), '-o', elf, ...sources])
run(compiler.replace(/gcc$/, 'objcopy'), ['-O', 'binary', elf, here('demo.img')])
rmSync(elf)
process.stdout.write(`demo.img: ${statSync(here('demo.img')).size} bytes\n`)
