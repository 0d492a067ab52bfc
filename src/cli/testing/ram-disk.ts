/** The tiny RAM disk with more files in it, as a file of its own. The kernel unpacks archives one after the other. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CpioEntry, encodeCpio } from '../../machine/boot/cpio.ts'
import { cached } from './boot-guest.ts'

/** Writes it into a folder; `scripts` are for the shell, `modules` go to /mod in the order in which they are to be loaded. */
export async function ramDisk(
  folder: string,
  { scripts = {}, modules = [] }: { scripts?: Readonly<Record<string, string>>; modules?: readonly string[] },
): Promise<string> {
  const entries: CpioEntry[] = Object.entries(scripts).map(([name, text]) => ({
    name,
    mode: 0o100755,
    data: new TextEncoder().encode(text),
  }))
  if (modules.length > 0) entries.push({ name: 'mod', mode: 0o040755 })
  for (const name of modules)
    entries.push({ name: `mod/${name}.ko`, mode: 0o100644, data: await readFile(cached('guests', `${name}.ko`)) })
  const path = join(folder, 'initrd')
  await writeFile(path, Buffer.concat([await readFile(cached('debian', 'initrd')), encodeCpio(entries)]))
  return path
}

/** Loads them. */
export const insmod = (modules: readonly string[]): string => modules.map((name) => `insmod /mod/${name}.ko\n`).join('')
