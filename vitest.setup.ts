/** Properties of fast-check draw from one seed: the same in every `npm test`, VGIC_SEED in `npm run test:long`. */

import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['VGIC_SEED'] ?? 20_160_528) })
