/** Runs a batch on QEMU's virt machine, bare metal, through a shared memory file. Only tests use it; it needs qemu-system-aarch64. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, entry, ram, type Setting, writeImage } from './image.ts'

/** The memory after the run, or throws with what QEMU said. */
export function runOnQemu(batch: readonly Case[], model: string, setting: Setting = {}): Uint8Array {
  const memory = new Uint8Array(ram.size)
  writeImage(memory, batch, setting)
  const folder = mkdtempSync(join(tmpdir(), 'vgic-cpu-'))
  try {
    const file = join(folder, 'ram')
    const handle = openSync(file, 'w+')
    ftruncateSync(handle, ram.size)
    writeSync(handle, memory)
    const result = spawnSync(
      'qemu-system-aarch64',
      [
        ...['-machine', 'virt,memory-backend=ram,gic-version=2', '-cpu', model, '-m', '128M'],
        ...['-object', `memory-backend-file,id=ram,size=128M,mem-path=${file},share=on`],
        ...['-display', 'none', '-nodefaults', '-accel', 'tcg,thread=single'],
        ...['-device', `loader,addr=${entry},cpu-num=0`],
      ],
      { timeout: 120_000, encoding: 'utf8' },
    )
    if (result.status !== 0) throw new Error(`QEMU ended with ${result.status ?? result.signal}: ${result.stderr}`)
    readSync(handle, memory, 0, ram.size, 0)
    closeSync(handle)
    return memory
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
