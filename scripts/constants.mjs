// Makes constants of the functions that a chunk declares, at its top. A declared function could be assigned anew, so that compiled
// code compares it with the one that it knows at each call, inlined or not; a constant it knows for good. The path of an
// interrupt has dozens of such calls. The source keeps its declarations, which read better and may stand in any order.

import { RolldownMagicString } from 'rolldown'
import { parseAst } from 'rolldown/parseAst'

/** Where the comment of what stands at `start` begins; `start` where it has none. */
function withComment(code, start) {
  const comment = code.lastIndexOf('/**', start)
  const end = code.indexOf('*/', comment) + 2
  return comment >= 0 && code.slice(end, start).trim() === '' ? comment : start
}

/** A plugin for the bundler. */
export const constantFunctions = {
  name: 'constant-functions',
  renderChunk(code) {
    const functions = parseAst(code).body.filter(({ type }) => type === 'FunctionDeclaration')
    const text = new RolldownMagicString(code)
    for (const { id, start, end } of functions) {
      const keywords = code.slice(start, id.start).trimEnd()
      text.overwrite(start, id.end, `const ${id.name} = ${keywords}`)
      text.appendLeft(end, ';\n')
      text.move(withComment(code, start), end, 0)
    }
    return { code: text.toString(), map: text.generateMap({ hires: true }).toString() }
  },
}
