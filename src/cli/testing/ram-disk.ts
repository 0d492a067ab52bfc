/** The tiny RAM disk with more files in it, as a file of its own. The kernel unpacks archives one after the other. */

import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CpioEntry, encodeCpio } from '../../machine/boot/cpio.ts'
import { cached } from './boot-guest.ts'

interface Contents {
  /** Scripts for the shell. */
  readonly scripts?: Readonly<Record<string, string>>
  readonly programs?: Readonly<Record<string, Uint8Array>>
  /** Modules of the kernel, which go to /mod, in the order in which they are to be loaded. */
  readonly modules?: readonly string[]
  /** A folder whose files are to be in the root. */
  readonly tree?: string
}

/** Writes it into a folder. */
export async function ramDisk(
  folder: string,
  { scripts = {}, programs = {}, modules = [], tree }: Contents,
): Promise<string> {
  const encoder = new TextEncoder()
  const texts = Object.entries(scripts).map(([name, text]) => [name, encoder.encode(text)] as const)
  const entries: CpioEntry[] = [...texts, ...Object.entries(programs)].map(([name, data]) => ({
    name,
    mode: 0o100755,
    data,
  }))
  if (tree !== undefined) entries.push(...(await filesIn(tree)))
  if (modules.length > 0) entries.push({ name: 'mod', mode: 0o040755 })
  for (const name of modules)
    entries.push({ name: `mod/${name}.ko`, mode: 0o100644, data: await readFile(cached('guests', `${name}.ko`)) })
  const path = join(folder, 'initrd')
  await writeFile(path, Buffer.concat([await readFile(cached('debian', 'initrd')), encodeCpio(entries)]))
  return path
}

/** What is in a folder, each folder before what is in it; links stay links. */
async function filesIn(folder: string): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = []
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    const { mode } = await lstat(path)
    const kind = mode & 0o170000
    if (kind === 0o040000) entries.push({ name, mode })
    else if (kind === 0o120000) entries.push({ name, mode, data: new TextEncoder().encode(await readlink(path)) })
    else entries.push({ name, mode, data: await readFile(path) })
  }
  return entries
}

/** Loads them. */
export const insmod = (modules: readonly string[]): string => modules.map((name) => `insmod /mod/${name}.ko\n`).join('')
