/** What --device and --global of `vgic run` say, in QEMU's words: files for the generic loader, virtio devices, virtio's version. */

import type { VirtioSlots } from '../machine/board/virt-options.ts'
import { UsageError } from './command.ts'
import { printable } from './style.ts'
import { isVirtio, virtioOf } from './virtio-options.ts'

/** QEMU's generic loader: a file in memory before the machine starts. */
export interface LoaderOption {
  readonly file: string
  /** Where a flat file goes; an ELF file has its own addresses. */
  readonly address: number | undefined
  /** The first CPU starts there. */
  readonly start: boolean
  /** An ELF file, too, is bytes. */
  readonly raw: boolean
}

/** @param drives the id of each --drive */
export function devicesOf(
  texts: readonly string[],
  drives: readonly (string | undefined)[],
): { loaders: LoaderOption[]; virtioConsole: boolean; slots: VirtioSlots; serials: readonly (string | undefined)[] } {
  const loaders = texts.filter((text) => text.startsWith('loader,')).map(loaderOf)
  const unknown = texts.find((text) => !text.startsWith('loader,') && !isVirtio(text))
  if (unknown !== undefined)
    throw new UsageError(
      `--device: there is no '${printable(unknown).slice(0, 60)}'; loader,file=FILE,addr=ADDRESS, virtconsole and ` +
        'virtio-blk-device, -serial-device and -rng-device there are',
    )
  if (loaders.filter(({ start }) => start).length > 1)
    throw new UsageError('--device loader: cpu-num=0 is where the first CPU starts, and there are two')
  return { loaders, ...virtioOf(texts.filter(isVirtio), drives) }
}

function loaderOf(text: string): LoaderOption {
  const fail = (why: string): never => {
    throw new UsageError(`--device loader: ${why}`)
  }
  const values = new Map<string, string>()
  for (const part of text.split(/(?<!,),(?!,)/).slice(1)) {
    const [key = '', value = ''] = /^([a-z-]+)=(.*)$/s.exec(part.replaceAll(',,', ','))?.slice(1) ?? []
    if (!['file', 'addr', 'cpu-num', 'force-raw'].includes(key))
      fail(`'${printable(part).slice(0, 60)}' is not known; file, addr, cpu-num and force-raw are`)
    values.set(key, value)
  }
  const number = (key: string) => {
    const value = values.get(key)
    if (value === undefined) return undefined
    if (!/^(0x[0-9a-f]{1,13}|[0-9]{1,15})$/i.test(value))
      fail(`${key} wants a number, not '${printable(value).slice(0, 60)}'`)
    return Number(value)
  }
  const [file, address, cpu, raw] = [values.get('file'), number('addr'), number('cpu-num'), values.get('force-raw')]
  if (file === undefined || file === '') return fail('it wants a file=FILE')
  if (cpu !== undefined && cpu !== 0) fail('cpu-num is 0: PSCI says where the other CPUs start')
  if (raw !== undefined && raw !== 'on' && raw !== 'off') fail('force-raw is on or off')
  return { file, address, start: cpu === 0, raw: raw === 'on' }
}

/** QEMU's way to choose the version of virtio's interface. */
export function legacyOf(texts: readonly string[]): boolean {
  let legacy = true
  for (const text of texts) {
    const value = /^virtio-mmio\.force-legacy=(on|off|true|false)$/.exec(text)?.[1]
    if (value === undefined)
      throw new UsageError(
        `--global: '${printable(text).slice(0, 60)}' is not known; virtio-mmio.force-legacy=false is version 2 of virtio`,
      )
    legacy = value === 'on' || value === 'true'
  }
  return legacy
}
