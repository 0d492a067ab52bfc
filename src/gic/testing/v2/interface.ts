/** The CPU interface's registers by offset (IHI 0048 4.4), with the views of both Security states. */

import { runningPriority } from './delivery.ts'
import { acknowledge, deactivate, endOfInterrupt, highestPending } from './handling.ts'
import { flag, num, type OracleState } from './state.ts'

export function readInterface(gic: OracleState, offset: number, cpu: number, secure: boolean): number {
  const ns = gic.config.security && !secure
  const own = gic.interfaces[cpu]
  if (offset === 0xfc) return 0x0002043b
  if (own === undefined) return 0
  const secureOnly = [0x1c, 0x20, 0x28, 0xe0, 0xe4, 0xe8, 0xec]
  if (ns && secureOnly.includes(offset)) return 0
  const upper = (value: number) => (value >= 0x80 ? (value - 0x80) * 2 : 0)
  switch (offset) {
    case 0x00:
      if (ns) return num(own.enable[1], 0) + num(own.bypass[2], 5) + num(own.bypass[3], 6) + num(own.eoiModeNS, 9)
      return (
        num(own.enable[0], 0) +
        num(own.enable[1], 1) +
        num(own.ackCtl, 2) +
        num(own.fiqEn, 3) +
        num(own.cbpr, 4) +
        own.bypass.reduce((sum, each, i) => sum + num(each, 5 + i), 0) +
        num(own.eoiModeS, 9) +
        num(own.eoiModeNS, 10)
      )
    case 0x04:
      return ns ? upper(own.pmr) : own.pmr
    case 0x08:
      if (!ns) return own.bpr
      return own.cbpr ? Math.min(7, own.bpr + 1) : own.abpr
    case 0x0c:
      return acknowledge(gic, cpu, ns)
    case 0x14: {
      const running = runningPriority(gic, cpu)
      if (running === 256) return 0xff
      return ns ? upper(running) : running
    }
    case 0x18:
      return highestPending(gic, cpu, ns)
    case 0x1c:
      return own.abpr
    case 0x20:
      return acknowledge(gic, cpu, true)
    case 0x28:
      return highestPending(gic, cpu, true)
  }
  if (offset >= 0xd0 && offset < 0xf0 && offset % 4 === 0) return readActivePriorities(gic, offset, cpu, ns)
  return 0
}

/** Bit b of active priorities register n is level 32n + b; Non-secure reads of APR see the upper half of NSAPR. */
function levelAt(
  gic: OracleState,
  offset: number,
  bit: number,
  ns: boolean,
): { group: 0 | 1; priority: number } | undefined {
  const levels = 2 ** (7 - gic.minimumBpr)
  const group = offset >= 0xe0 || ns ? 1 : 0
  let level = ((offset - 0xd0) % 16) * 8 + bit
  if (ns && level >= levels / 2) return undefined
  if (ns) level += levels / 2
  return level < levels ? { group, priority: level * (256 / levels) } : undefined
}

function readActivePriorities(gic: OracleState, offset: number, cpu: number, ns: boolean): number {
  let value = 0
  for (let bit = 0; bit < 32; bit++) {
    const at = levelAt(gic, offset, bit, ns)
    if (at && gic.interfaces[cpu]!.activePriorities[at.group].has(at.priority)) value += 2 ** bit
  }
  return value
}

export function writeInterface(gic: OracleState, offset: number, value: number, cpu: number, secure: boolean): void {
  const ns = gic.config.security && !secure
  const own = gic.interfaces[cpu]
  if (own === undefined) return
  const secureOnly = [0x1c, 0x24, 0xe0, 0xe4, 0xe8, 0xec]
  if (ns && secureOnly.includes(offset)) return
  const splitMode = ns ? own.eoiModeNS : own.eoiModeS
  const setAbpr = () => {
    own.abpr = Math.max(value & 7, gic.minimumBpr + 1)
  }
  switch (offset) {
    case 0x00:
      if (ns) {
        own.enable[1] = flag(value, 0)
        own.bypass[2] = flag(value, 5)
        own.bypass[3] = flag(value, 6)
        own.eoiModeNS = flag(value, 9)
        return
      }
      own.enable = [flag(value, 0), flag(value, 1)]
      own.ackCtl = flag(value, 2)
      own.fiqEn = flag(value, 3)
      own.cbpr = flag(value, 4)
      own.bypass = [flag(value, 5), flag(value, 6), flag(value, 7), flag(value, 8)]
      own.eoiModeS = flag(value, 9)
      if (gic.config.security) own.eoiModeNS = flag(value, 10)
      return
    case 0x04:
      if (!ns) own.pmr = value & gic.priorityMask
      else if (own.pmr >= 0x80) own.pmr = (0x80 + ((value & 0xff) >> 1)) & gic.priorityMask
      return
    case 0x08:
      if (!ns) own.bpr = Math.max(value & 7, gic.minimumBpr)
      else if (!own.cbpr) setAbpr()
      return
    case 0x10:
      endOfInterrupt(gic, cpu, value, ns, splitMode)
      return
    case 0x1c:
      setAbpr()
      return
    case 0x24:
      endOfInterrupt(gic, cpu, value, true, splitMode)
      return
    case 0x1000:
      deactivate(gic, cpu, value, ns, splitMode)
      return
  }
  if (offset >= 0xd0 && offset < 0xf0 && offset % 4 === 0)
    for (let bit = 0; bit < 32; bit++) {
      const at = levelAt(gic, offset, bit, ns)
      if (at === undefined) continue
      const set = own.activePriorities[at.group]
      if (flag(value, bit)) set.add(at.priority)
      else set.delete(at.priority)
    }
}
