/** What the default guest is: the options of `vgic linux`, and the prompt that ends its boot. */

export const BOOT_CPUS = 4
export const BOOT_MEMORY = 256 * 2 ** 20
export const append = 'console=ttyAMA0 cryptomgr.notests'
/** What the shell asks its terminal after the prompt may have come with it. */
export const prompt = /To end: poweroff -f[\s\S]*[#$] /

export interface BootResult {
  /** The prompt came. */
  readonly there: boolean
  /** Seconds in the machine. */
  readonly running: number
  /** Seconds since the process started. */
  readonly seconds: number
  readonly instructions: number
  /** The most memory the process had, in MiB. */
  readonly resident: number
}
