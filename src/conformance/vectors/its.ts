/** All conformance vectors of the ITS, by subject. They need a GICv3 with an ITS and at least two PEs. */

import type { Vector } from './build.ts'
import { itsCommandVectors } from './its-commands.ts'
import { itsDeliveryVectors } from './its-delivery.ts'
import { itsErrorVectors } from './its-errors.ts'

/** What each subject is, as a heading. */
export const itsSubjects: Readonly<Record<string, readonly Vector[]>> = {
  'ITS: commands': itsCommandVectors,
  'ITS: command errors': itsErrorVectors,
  'ITS: messages, queue and LPIs': itsDeliveryVectors,
}

/** All of the ITS's. */
export const itsVectors: readonly Vector[] = Object.values(itsSubjects).flat()
