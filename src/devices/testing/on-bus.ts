/** What the device specs share: a bus with one device, and short ways to use it as a CPU would. It is no part of the package. */

import { type AccessSize, Bus, cpuInitiator, type Device, type Policy, strictPolicy } from '../../mmio/index.ts'

export const cpu0 = cpuInitiator(0)

/** A device alone on a bus from `base` on; refusals throw unless another policy is given. */
export function onBus(device: Device, size = 0x1000, policy: Policy = strictPolicy, base = 0x0900_0000) {
  const bus = new Bus(policy)
  bus.register({ base, size, device })
  return {
    bus,
    read: (offset: number, size: AccessSize = 4) => bus.read(base + offset, size, cpu0) >>> 0,
    write: (offset: number, value: number, size: AccessSize = 4) => bus.write(base + offset, size, value, 0, cpu0),
  }
}
