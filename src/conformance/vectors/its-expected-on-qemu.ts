/**
 * The ITS vectors that QEMU does not pass, each with the deviation that explains it (src/conformance/qemu/deviations-gicv3.ts).
 * A vector that QEMU fails and that is not here is wrong, or has found a deviation that nobody has listed.
 */

const byDeviation: Readonly<Record<string, readonly string[]>> = {
  'QI-3': ['GITS_CREADR cannot be written'],
}

/** Deviation by the name of the vector. */
export const itsExpectedOnQemu: ReadonlyMap<string, string> = new Map(
  Object.entries(byDeviation).flatMap(([deviation, names]) => names.map((name) => [name, deviation] as const)),
)
