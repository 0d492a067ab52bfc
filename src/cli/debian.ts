/**
 * Debian's arm64 kernel and a busybox as a guest: fetched by apt's own tools with a configuration of their own, so that the
 * host's packages are not touched, and kept in the user's cache. Nothing is downloaded any other way.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type CpioEntry, encodeCpio } from '../machine/boot/cpio.ts'
import { LoaderError } from '../machine/boot/loaded.ts'
import { loadKernel } from '../machine/boot/loader.ts'
import type { Io } from './command.ts'
import { FileError } from './file-error.ts'

export interface DebianGuest {
  readonly kernel: string
  readonly initrd: string
  /** What was installed, as `package version`. */
  readonly packages: readonly string[]
}

interface Manifest {
  packages: string[]
  sha256: Record<string, string>
}

/** Depends on the present kernel of the smallest flavour. */
const KERNEL_PACKAGE = 'linux-image-cloud-arm64'
const BUSYBOX_PACKAGE = 'busybox-static'

const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=vt100
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
echo
echo "Linux $(uname -r) on $(nproc) CPU(s). Its interrupts: cat /proc/interrupts. To end: poweroff -f"
exec setsid cttyhack sh
`

/** `$XDG_CACHE_HOME/vgic`, or `~/.cache/vgic`. */
export function cacheFolder(env: Io['env']): string {
  const base = env['XDG_CACHE_HOME'] ?? ''
  return join(base.startsWith('/') ? base : join(env['HOME'] || homedir(), '.cache'), 'vgic')
}

/** The guest, if it is in the cache and whole. */
export async function cachedDebian(env: Io['env']): Promise<DebianGuest | undefined> {
  const folder = join(cacheFolder(env), 'debian')
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest
    for (const name of ['kernel', 'initrd'])
      if (sha256(await readFile(join(folder, name))) !== manifest.sha256[name]) return undefined
    return { kernel: join(folder, 'kernel'), initrd: join(folder, 'initrd'), packages: manifest.packages }
  } catch {
    return undefined
  }
}

/**
 * Fetches the guest, and puts it into the cache in place of what is there.
 * @param say takes a line for each step
 * @throws FileError, with one line, for what is missing
 */
export async function fetchDebian(env: Io['env'], say: (line: string) => void): Promise<DebianGuest> {
  const cache = cacheFolder(env)
  await findTools(env)
  const work = await prepare(cache)
  try {
    const apt = await aptIn(work, env)
    say("reading Debian's package lists for arm64")
    await apt('apt-get', ['update'])
    const depends = await apt('apt-cache', ['depends', '--no-recommends', '--no-suggests', KERNEL_PACKAGE])
    const kernelPackage = /Depends: (linux-image-[0-9][a-z0-9.+-]*)/.exec(depends)?.[1]
    if (kernelPackage === undefined)
      throw new FileError(
        `apt knows no ${KERNEL_PACKAGE}: its sources have to be those of Debian (/etc/apt/sources.list)`,
      )
    say(`fetching ${kernelPackage} and ${BUSYBOX_PACKAGE}`)
    await apt('apt-get', ['download', kernelPackage, BUSYBOX_PACKAGE])
    const packages: string[] = []
    for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb')).sort()) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg's
      packages.push((await apt('dpkg-deb', ['-W', '--showformat=${Package} ${Version}', file])).trim())
      await apt('dpkg-deb', ['-x', file, 'root'])
    }
    say('building the initial RAM disk')
    const { kernel, initrd } = await guestFrom(join(work, 'root'))
    const folder = join(work, 'debian')
    await mkdir(folder)
    await writeFile(join(folder, 'kernel'), kernel)
    await writeFile(join(folder, 'initrd'), initrd)
    const manifest: Manifest = { packages, sha256: { kernel: sha256(kernel), initrd: sha256(initrd) } }
    await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await rm(join(cache, 'debian'), { recursive: true, force: true })
    await rename(folder, join(cache, 'debian'))
  } catch (error) {
    const ofSystem = error instanceof Error && 'code' in error
    throw ofSystem ? new FileError(`${cache}: cannot be written: ${reasonOf(error)}`) : error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const guest = await cachedDebian(env)
  if (guest === undefined) throw new FileError(`${cache}: what was put there cannot be read back`)
  return guest
}

/** Kernel and initial RAM disk from unpacked packages, checked to be what they should be. */
async function guestFrom(root: string): Promise<{ kernel: Uint8Array; initrd: Uint8Array }> {
  const boot = (await readdir(join(root, 'boot')).catch(() => [])).find((name) => name.startsWith('vmlinuz-'))
  if (boot === undefined) throw new FileError('the kernel package has no kernel in it')
  const kernel = new Uint8Array(await readFile(join(root, 'boot', boot)))
  try {
    const loaded = await loadKernel(kernel, { ram: { base: 0x4000_0000, size: 2 ** 30 } })
    if (loaded.kind !== 'Linux Image') throw new LoaderError(`the kernel is a ${loaded.kind}`)
  } catch (error) {
    throw new FileError(`${boot}: ${error instanceof Error ? error.message : String(error)}`)
  }
  let busybox: Uint8Array | undefined
  for (const path of ['bin/busybox', 'usr/bin/busybox'])
    busybox ??= await readFile(join(root, path)).catch(() => undefined)
  if (busybox === undefined) throw new FileError(`${BUSYBOX_PACKAGE} has no busybox in it`)
  // ELF header: e_machine is AArch64's.
  if (busybox[0] !== 0x7f || busybox[18] !== 183) throw new FileError('busybox is no program for arm64')
  return { kernel, initrd: tinyInitramfs(busybox) }
}

/** A RAM disk with a busybox in it and a shell to start: what a boot needs to get to a prompt. */
export function tinyInitramfs(busybox: Uint8Array): Uint8Array {
  const folder = (name: string): CpioEntry => ({ name, mode: 0o040755 })
  return encodeCpio([
    ...['bin', 'dev', 'proc', 'root', 'sys', 'tmp'].map(folder),
    { name: 'init', mode: 0o100755, data: new TextEncoder().encode(init) },
    { name: 'bin/busybox', mode: 0o100755, data: busybox },
  ])
}

/** Throws for those of apt's tools that are not there, before anything is done. */
async function findTools(env: Io['env']): Promise<void> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean)
  const missing: string[] = []
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb']) {
    const found = await Promise.all(folders.map((folder) => access(join(folder, tool), constants.X_OK).then(yes, no)))
    if (!found.includes(true)) missing.push(tool)
  }
  if (missing.length > 0)
    throw new FileError(
      `${missing.join(', ')} not found: Debian's packages are fetched with the tools of its packages apt and dpkg; 'vgic run --kernel FILE' boots a kernel that you have`,
    )
}

const yes = () => true
const no = () => false

/** The cache, and in it a new folder to work in. */
async function prepare(cache: string): Promise<string> {
  try {
    await makeFolder(cache)
    // What an interrupted fetch left behind.
    for (const name of await readdir(cache)) {
      const pid = /^fetch-([0-9]+)-/.exec(name)?.[1]
      if (pid !== undefined && !isAlive(Number(pid))) await rm(join(cache, name), { recursive: true, force: true })
    }
    return await mkdtemp(join(cache, `fetch-${process.pid}-`))
  } catch (error) {
    throw new FileError(
      `${cache}: no folder can be made there (${reasonOf(error)}); XDG_CACHE_HOME names another place`,
    )
  }
}

/** With those above it. Node's own way of that never ends where a system says that the folder above is not there, and it is. */
async function makeFolder(path: string, again = true): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (reason !== 'ENOENT' || !again || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await makeFolder(path, false)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return reasonOf(error) === 'EPERM'
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** Runs one of apt's or dpkg's tools and gives what it printed; throws a FileError of one line. */
export type Apt = (tool: string, args: readonly string[]) => Promise<string>

/** apt's tools for packages of arm64, with state and cache in `folder`: the host's are neither read nor changed. */
export async function aptIn(folder: string, env: Io['env'] = process.env): Promise<Apt> {
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'root'])
    await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'status'), '')
  const quoted = (path: string) => `"${path.replaceAll('"', '')}"`
  const config = [
    'APT::Architecture "arm64";',
    'APT::Architectures { "arm64"; };',
    'APT::Sandbox::User "root";',
    `Dir::State ${quoted(join(folder, 'state'))};`,
    `Dir::State::lists ${quoted(join(folder, 'state/lists'))};`,
    `Dir::State::status ${quoted(join(folder, 'status'))};`,
    `Dir::Cache ${quoted(join(folder, 'cache'))};`,
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    // What the host wants done after its own updates is not for this one.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
  ]
  const path = join(folder, 'apt.conf')
  await writeFile(path, `${config.join('\n')}\n`)
  return (tool, args) =>
    new Promise((resolve, reject) => {
      const options = tool.startsWith('apt') ? ['-q', '-c', path] : []
      const child = spawn(tool, [...options, ...args], {
        cwd: folder,
        env: { ...env, APT_CONFIG: path, LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let out = ''
      let err = ''
      child.stdout.on('data', (data: Buffer) => {
        if (out.length < 2 ** 20) out += data.toString()
      })
      child.stderr.on('data', (data: Buffer) => {
        err = (err + data.toString()).slice(-4096)
      })
      child.on('error', (error: NodeJS.ErrnoException) => {
        const missing = error.code === 'ENOENT'
        reject(
          new FileError(
            missing
              ? `${tool} is not there: Debian's packages are fetched with apt-get, apt-cache and dpkg-deb`
              : `${tool}: ${error.message}`,
          ),
        )
      })
      child.on('close', (code) => {
        if (code === 0) resolve(out)
        else {
          const said = err.split('\n').find((line) => line.startsWith('E: ')) ?? err.trim().split('\n').pop() ?? ''
          reject(new FileError(`${tool} ${args[0] ?? ''} failed: ${said.replace(/^E: /, '') || `status ${code}`}`))
        }
      })
    })
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
