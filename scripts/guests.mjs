// `npm run test:guests`: boots real guests on our machine. Fetches what is not in the cache with apt's own tools, as
// `vgic fetch debian` does, and installs nothing; arguments go to vitest. Ends with 2 and one line where something is missing.

import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { root } from './build.mjs'

/** Packages for all architectures, and what of them is kept under which name. */
const images = {
  'debian-installer-12-netboot-arm64': [
    ['usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/linux', 'installer-kernel'],
    ['usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/initrd.gz', 'installer-initrd.gz'],
  ],
  'u-boot-qemu': [['usr/lib/u-boot/qemu_arm64/u-boot.bin', 'u-boot.bin']],
  'qemu-efi-aarch64': [['usr/share/qemu-efi-aarch64/QEMU_EFI.fd', 'edk2.fd']],
}

/** The modules of virtio devices, in the order in which they are loaded; they belong to one version of the kernel. */
const modules = [
  'virtio/virtio_ring.ko',
  'virtio/virtio.ko',
  'virtio/virtio_mmio.ko',
  'block/virtio_blk.ko',
  'char/hw_random/virtio-rng.ko',
]

/** perf, and the packages with what it is linked with. Python and Perl themselves, for its scripts, are left out. */
const perf = [
  ...['linux-perf', 'libbabeltrace1', 'libbz2-1.0', 'libc6', 'libcap2', 'libcrypt1', 'libdw1', 'libelf1', 'libexpat1'],
  ...['libgcc-s1', 'libglib2.0-0', 'liblzma5', 'libnuma1', 'libopencsd1', 'libpcre2-8-0', 'libperl5.36'],
  ...['libpython3.11', 'libslang2', 'libstdc++6', 'libunwind8', 'libuuid1', 'libzstd1', 'zlib1g'],
]

const say = (line) => process.stderr.write(`test:guests: ${line}\n`)

/** The one line of what has to be installed, or undefined. */
function missing() {
  const tools = ['apt-get', 'apt-cache', 'dpkg-deb'].filter((tool) => spawnSync(tool, ['--version']).error)
  return tools.length === 0
    ? undefined
    : `${tools.join(', ')} not found: install apt and dpkg (of Debian 12 or with its sources), which the guests are fetched with`
}

async function fetchRest(cache, kernelPackages) {
  const { aptIn } = await import('../dist/cli/debian.js')
  const folder = join(cache, 'guests')
  const stamp = JSON.stringify([kernelPackages, images, modules])
  if ((await readFile(join(folder, 'stamp'), 'utf8').catch(() => '')) === stamp) return
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'fetch-'))
  try {
    const apt = await aptIn(work)
    await apt('apt-get', ['update'])
    const kernel = kernelPackages.find((name) => name.startsWith('linux-image-')).replace(' ', '=')
    say(`fetching ${[...Object.keys(images), kernel].join(', ')}`)
    await apt('apt-get', ['download', ...Object.keys(images), kernel])
    for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb')))
      await apt('dpkg-deb', ['-x', file, 'root'])
    const kept = join(work, 'guests')
    await mkdir(kept)
    for (const [from, to] of Object.values(images).flat()) await cp(join(work, 'root', from), join(kept, to))
    const versions = join(work, 'root', 'lib', 'modules')
    const [version] = await readdir(versions)
    for (const name of modules) await cp(join(versions, version, 'kernel', 'drivers', name), join(kept, basename(name)))
    await writeFile(join(kept, 'stamp'), stamp)
    await rm(folder, { recursive: true, force: true })
    await rename(kept, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** perf and its libraries as a tree of files for a RAM disk: `bin` and `lib`. */
async function fetchPerf(cache) {
  const { aptIn } = await import('../dist/cli/debian.js')
  const folder = join(cache, 'perf')
  if ((await readFile(join(cache, 'perf-stamp'), 'utf8').catch(() => '')) === JSON.stringify(perf)) return
  const work = await mkdtemp(join(cache, 'fetch-'))
  try {
    const apt = await aptIn(work)
    await apt('apt-get', ['update'])
    say(`fetching ${perf[0]} and the libraries of ${perf.length - 1} packages`)
    await apt('apt-get', ['download', ...perf])
    for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb')))
      await apt('dpkg-deb', ['-x', file, 'root'])
    const kept = join(work, 'perf')
    const libraries = 'lib/aarch64-linux-gnu'
    const link = 'lib/ld-linux-aarch64.so.1'
    for (const from of ['lib', 'usr/lib'].map((above) => join(work, 'root', above, basename(libraries))))
      await cp(from, join(kept, libraries), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => path === from || /\.so(\.[0-9.]+)?$/.test(path),
      })
    await cp(join(work, 'root', link), join(kept, link), { verbatimSymlinks: true })
    await cp(join(work, 'root/usr/bin/perf'), join(kept, 'bin/perf'))
    await rm(folder, { recursive: true, force: true })
    await rename(kept, folder)
    await writeFile(join(cache, 'perf-stamp'), JSON.stringify(perf))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function run() {
  const lacking = missing()
  if (lacking !== undefined) {
    say(lacking)
    return 2
  }
  try {
    const { cacheFolder, cachedDebian, fetchDebian } = await import('../dist/cli/debian.js')
    const cache = cacheFolder(process.env)
    const debian = (await cachedDebian(process.env)) ?? (await fetchDebian(process.env, say))
    try {
      await fetchRest(cache, debian.packages)
    } catch {
      // The archive may have a newer kernel than the cache: modules and kernel have to be of one version.
      await fetchRest(cache, (await fetchDebian(process.env, say)).packages)
    }
    await fetchPerf(cache)
  } catch (error) {
    say(error.message.split('\n')[0])
    return 2
  }
  const report = `--outputFile.json=${join('.cache', 'guests.json')}`
  const args = ['run', '--config', 'vitest.guests.config.ts', '--reporter=default', '--reporter=json', report]
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  const all = [...args, ...process.argv.slice(2)]
  return spawnSync(vitest, all, { cwd: root, stdio: 'inherit' }).status ?? 130
}

process.exitCode = await run()
