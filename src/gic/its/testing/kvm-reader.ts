/**
 * Reads saved tables as Linux's KVM does (5.19 and newer), written from its rules and not from our reader: the device table from
 * its beginning, of two levels page after page; each translation table from its beginning; and the collection table to its end.
 * Refuses what KVM_DEV_ARM_ITS_RESTORE_TABLES fails for. Not part of the package.
 */

import type { SparseMemory } from './rig.ts'

const PAGE = 0x1_0000n

/** What KVM would have after a restore: `device:event` to `INTID@PE`, where a collection without a PE is PE 4294967295. */
export function readAsKvm(memory: SparseMemory, baser0: bigint, baser1: bigint, pes: number): Map<string, string> {
  const routes = new Map<string, string>()
  const size = (baser: bigint) => ((baser & 0xffn) + 1n) * PAGE
  const base = (baser: bigint) => baser & 0xffff_ffff_0000n
  const collections = new Map<bigint, bigint>()
  for (let at = 0n; at < size(baser1); at += 8n) {
    const entry = memory.read64(Number(base(baser1) + at))
    if (entry >> 63n === 0n) continue
    const [pe, icid] = [(entry >> 16n) & 0xffff_ffffn, entry & 0xffffn]
    if (collections.has(icid)) throw new Error(`EEXIST: collection ${icid}`)
    if (pe !== 0xffff_ffffn && pe >= BigInt(pes)) throw new Error(`EINVAL: PE ${pe}`)
    collections.set(icid, pe)
  }

  /** Whether the last entry was among them. */
  const scan = (from: bigint, bytes: bigint, id: bigint, read: (id: bigint, entry: bigint) => bigint): boolean => {
    for (let at = 0n; at < bytes; ) {
      const ahead = read(id + at / 8n, memory.read64(Number(from + at)))
      if (ahead === 0n) return true
      at += 8n * ahead
    }
    return false
  }

  const device = (id: bigint, entry: bigint): bigint => {
    if (entry >> 63n === 0n) return 1n
    const events = 1n << ((entry & 0x1fn) + 1n)
    scan(((entry >> 5n) & 0xfff_ffff_ffffn) << 8n, events * 8n, 0n, (event, ite) => {
      const [ahead, intid, icid] = [ite >> 48n, (ite >> 16n) & 0xffff_ffffn, ite & 0xffffn]
      if (intid === 0n) return 1n
      if (intid < 8192n) throw new Error(`EINVAL: device ${id}, event ${event}: INTID ${intid}`)
      if (event + ahead >= events) throw new Error(`EINVAL: device ${id}, event ${event}: ${ahead} ahead`)
      const pe = collections.get(icid)
      if (pe === undefined) throw new Error(`EINVAL: device ${id}, event ${event}: collection ${icid}`)
      routes.set(`${id}:${event}`, `${intid}@${pe}`)
      return ahead
    })
    return (entry >> 49n) & 0x3fffn
  }

  if (((baser0 >> 62n) & 1n) === 0n) scan(base(baser0), size(baser0), 0n, device)
  else
    scan(base(baser0), size(baser0), 0n, (page, descriptor) => {
      if (descriptor >> 63n === 0n) return 1n
      return scan(descriptor & 0xf_ffff_ffff_0000n, PAGE, page * (PAGE / 8n), device) ? 0n : 1n
    })
  return routes
}
