/** Disks in files. */

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OverlayDisk } from './disk.ts'
import { openBase, openDisk } from './file-disk.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vgic-disk-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, contents: Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, contents)
  return path
}

describe('a disk in a file', () => {
  it('is written in place', () => {
    const path = file('rw', new Uint8Array(2048).fill(1))
    const disk = openDisk(path)
    disk.write(512, new Uint8Array(512).fill(9))
    disk.flush()
    const bytes = new Uint8Array(1024)
    disk.read(256, bytes)
    disk.close()
    expect([bytes[255], bytes[256], bytes[767], bytes[768]]).toEqual([1, 9, 9, 1])
    expect(readFileSync(path)[1023]).toBe(9)
  })

  it('is left alone under an overlay, and reads as zero where it has shrunk', () => {
    const path = file('base', new Uint8Array(1024).fill(1))
    const base = openBase(path)
    const disk = new OverlayDisk(base)
    disk.write(0, new Uint8Array(10).fill(7))
    expect(readFileSync(path).every((byte) => byte === 1)).toBe(true)
    truncateSync(path, 600)
    const bytes = new Uint8Array(1024)
    new OverlayDisk(base).read(0, bytes)
    base.close()
    expect([bytes[599], bytes[600]]).toEqual([1, 0])
  })

  it.each<[string, () => string, RegExp]>([
    ['is not there', () => join(directory, 'nothing'), /nothing: there is no such file$/],
    ['is a directory', () => directory, /is a directory|is no plain file/],
    ['is half a sector', () => file('odd', new Uint8Array(700)), /whole sectors of 512 bytes, and this file has 700$/],
  ])('is refused in one line when it %s', (_, path, message) => {
    expect(() => openDisk(path())).toThrow(message)
  })
})
