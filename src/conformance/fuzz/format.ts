/**
 * Steps as lines of a trace (`traces/README.md` has the format), with what two targets answered to the last one.
 * For people to read and to replay; nothing parses it here.
 */

import { describeExecution, type Result, type Step, type TargetConfig } from '../target.ts'

const hex = (value: number | bigint): string => `0x${value.toString(16)}`
const shown = (result: Result): string => (result.status === 'ok' ? hex(result.value) : result.status)

/** One step as one line. `answer` is what a read is said to have returned. */
export function traceLine(step: Step, answer?: Result): string {
  const secure = 'secure' in step && step.secure === true ? ' # Secure' : ''
  const where = 'at' in step && step.at !== undefined ? ` # ${describeExecution(step.at)}` : secure
  const value = answer === undefined ? '0x0' : shown(answer)
  switch (step.op) {
    case 'read':
      return `${step.cpu} R ${step.region} ${hex(step.offset)} ${step.size} ${value}${secure}`
    case 'write':
      return `${step.cpu} W ${step.region} ${hex(step.offset)} ${step.size} ${hex(step.value)}${secure}`
    case 'spi':
      return `irq ${step.intid} - ${step.level}`
    case 'ppi':
      return `irq ${step.intid} ${step.cpu} ${step.level}`
    case 'mrs':
      return `${step.cpu} MRS ${step.register} ${value}${where}`
    case 'msr':
      return `${step.cpu} MSR ${step.register} ${hex(step.value)}${where}`
    case 'store':
      return `mem ${hex(step.address)} ${step.words.map(bytes).join('')}`
    case 'load':
      return `# load ${hex(step.address)} ${value}`
    case 'lines':
      return `# lines ${value}`
  }
}

function bytes(word: bigint): string {
  let text = ''
  for (let n = 0n; n < 64n; n += 8n) text += ((word >> n) & 0xffn).toString(16).padStart(2, '0')
  return text
}

export function describeConfig(config: TargetConfig): string {
  const states = config.security ? ', two Security states' : ''
  return `GICv${config.version}, ${config.cpus} CPU${config.cpus === 1 ? '' : 's'}${states}${config.its ? ', ITS' : ''}`
}
