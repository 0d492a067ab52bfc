/** The version of the package, from its own package.json: two folders up, in the source as in what is built from it. */

import { readFileSync } from 'node:fs'

function read(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const found =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined
  return typeof found === 'string' ? found : 'unknown'
}

export const version = read()
