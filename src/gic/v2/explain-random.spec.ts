/** That explain agrees with what an acknowledge does, and its remedies with what they promise, at random states. */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { by, Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'

/** What the remedy says to write, done by the CPU that it names (this one unless named). False: it is no such remedy. */
function doAsTold(rig: Rig, remedy: string, cpu: number): boolean {
  const { table } = rig.gic.frames.gicd
  const on = Number(/on CPU (\d)|from CPU (\d)/.exec(remedy)?.slice(1).find(Boolean) ?? cpu)
  const secure = true
  const value = Number(/[Ww]rite (?:byte )?(0x[0-9a-f]+)/.exec(remedy)?.[1] ?? Number.NaN)
  const enable = /^Set (GIC[DC])_CTLR.EnableGrp([01])/.exec(remedy)
  if (enable) {
    const frame = enable[1] === 'GICD' ? 'gicd' : 'gicc'
    rig.write(frame, 0, rig.read(frame, 0, on, secure) | (1 << Number(enable[2])), on, secure)
  } else if (remedy.includes('GICD_ISENABLER') || remedy.includes('GICD_ICACTIVER'))
    rig.write('gicd', table.offsetOf(/GICD_I[SC](?:ENABLE|ACTIVE)R\d+/.exec(remedy)![0])!, value, on, secure)
  else if (remedy.includes('at GICD offset'))
    rig.write('gicd', Number(/offset (0x[0-9a-f]+)/.exec(remedy)![1]), value, on, secure, 1)
  else if (remedy.startsWith('GICC_PMR is 0')) rig.write('gicc', 4, 0xff, on, secure)
  else return false
  return true
}

describe('At random states', () => {
  const seed = 7

  it('deliverable is what an acknowledge would take', () => {
    const random = new Random(seed)
    let deliverable = 0
    for (let run = 0; run < 30; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const [i, step] of stepsOf(random.word(), config, 400).entries()) {
        rig.take(step)
        if (i % 5 !== 0) continue
        for (let cpu = 0; cpu < config.cpus; cpu++) {
          // The alias sees Group 1 and the Secure view Group 0: between them everything, whatever AckCtl says.
          const seen = [0x0c, 0x20].map((offset) => rig.gic.frames.gicc.peek(offset, 4, by(cpu, true)) & 0x3ff)
          const taken = seen.filter((intid) => intid < 1020)
          for (let intid = 0; intid < config.intids; intid++) {
            const explanation = rig.gic.explain(intid, cpu)
            if (explanation.deliverable !== taken.includes(intid))
              expect.fail(`seed ${seed}, run ${run}: ${explanation.summary}`)
            if (explanation.deliverable) deliverable++
          }
        }
      }
    }
    expect(deliverable).toBeGreaterThan(500)
  })

  it('doing what a remedy says opens the gate, where it is a matter of one write', () => {
    const random = new Random(seed)
    const opened = new Map<string, number>()
    for (let run = 0; run < 150; run++) {
      const config = randomConfig(random, 96)
      for (const step of stepsOf(random.word(), config, 300).keys()) {
        if (step % 100 !== 99) continue
        const rig = new Rig(gicOf(config))
        for (const each of stepsOf(run, config, step)) rig.take(each)
        const intid = random.below(config.intids)
        const cpu = random.below(config.cpus)
        for (const report of rig.gic.explain(intid, cpu).gates) {
          if (report.open || !doAsTold(rig, report.remedy!, cpu)) continue
          const again = rig.gic.explain(intid, cpu).gates.find(({ gate }) => gate === report.gate)!
          // The lowest priority is masked by every value of GICC_PMR (IHI 0048 4.4.2).
          const hopeless =
            report.gate === 'priority mask' && again.says.includes(`0x${rig.gic.priorityMask.toString(16)} is not`)
          expect(again.open || hopeless, `${intid} on CPU ${cpu}: ${report.remedy} ${again.says}`).toBe(true)
          opened.set(report.gate, (opened.get(report.gate) ?? 0) + 1)
        }
      }
    }
    const mechanical = ['enabled', 'not active', 'targeted', 'group enabled in the Distributor']
    for (const gate of [...mechanical, 'group enabled in the CPU interface', 'priority mask'])
      expect(opened.get(gate) ?? 0, gate).toBeGreaterThan(2)
  })

  it('ending an active interrupt as told makes it inactive', () => {
    const random = new Random(seed)
    let ended = 0
    for (let run = 0; run < 60; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 300)) rig.take(step)
      for (let intid = 0; intid < config.intids; intid++) {
        const report = rig.gic.explain(intid, 0).gates.find(({ gate }) => gate === 'not active')!
        const told = /^Write (0x[0-9a-f]+) to GICC_(EOIR|DIR)(?: and then to GICC_(DIR))?(?: on CPU (\d))?/.exec(
          report.remedy ?? '',
        )
        if (told === null) continue
        const [, value, first, second, cpu] = told
        // Group 1 with the Security Extensions is Non-secure software's to end.
        const group = (rig.gic.irqs.group[rig.gic.irqs.wordOf(intid, 0)]! >>> (intid & 31)) & 1
        const secure = group === 0
        for (const register of [first, second])
          if (register) rig.write('gicc', register === 'EOIR' ? 0x10 : 0x1000, Number(value), Number(cpu ?? 0), secure)
        const after = rig.gic.explain(intid, 0).gates.find(({ gate }) => gate === 'not active')!
        expect(after.open, `seed ${seed}, run ${run}, ${intid}: ${report.remedy}`).toBe(true)
        ended++
      }
    }
    expect(ended).toBeGreaterThan(50)
  })
})
