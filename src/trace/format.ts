/**
 * One event to one line of a trace, the reverse of parse.ts: what it writes parses to the same event.
 */

import type { TraceEvent } from './event.ts'
import { noCpu } from './event.ts'

/** A 64-bit number, given as two unsigned halves, in the trace's hexadecimal. */
export function hex64(low: number, high: number): string {
  const lower = (low >>> 0).toString(16)
  return high === 0 ? `0x${lower}` : `0x${(high >>> 0).toString(16)}${lower.padStart(8, '0')}`
}

function cpuField(cpu: number): string {
  return cpu === noCpu ? '-' : String(cpu)
}

/** The line, without its end. */
export function formatEvent(event: TraceEvent): string {
  switch (event.kind) {
    case 'read':
    case 'write': {
      const verb = event.kind === 'read' ? 'R' : 'W'
      const device = event.kind === 'write' && event.region === 'itst' ? ` ${hex64(event.device, 0)}` : ''
      const value = hex64(event.low, event.high)
      return `${cpuField(event.cpu)}${event.security} ${verb} ${event.region} ${hex64(event.offset, 0)} ${event.size} ${value}${device}`
    }
    case 'mrs':
    case 'msr':
      return `${event.cpu}${event.security} ${event.kind.toUpperCase()} ${event.register} ${hex64(event.low, event.high)}`
    case 'irq':
      return `irq ${event.intid} ${cpuField(event.cpu)} ${event.level}`
    case 'out':
      return `out ${event.cpu} ${event.signal} ${event.level}`
    case 'mem': {
      let bytes = ''
      for (const byte of event.bytes) bytes += byte.toString(16).padStart(2, '0')
      return `mem ${hex64(event.low, event.high)} ${bytes}`
    }
    case 'reset':
      return `reset ${event.cpu}`
  }
}
