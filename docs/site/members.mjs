// A plugin for TypeDoc: members of public classes and interfaces have to be described, too. Those of a type that is written in place
// are its container's to describe, which TypeDoc's own option cannot tell apart.

import { ReflectionKind } from 'typedoc'

const containers = ReflectionKind.Class | ReflectionKind.Interface

export function load(app) {
  app.on('bootstrapEnd', () => {
    app.converter.on('resolveEnd', ({ project }) => {
      for (const member of project.getReflectionsByKind(ReflectionKind.Property)) {
        if (!member.parent?.kindOf(containers) || member.hasComment() || member.flags.isInherited) continue
        if (member.inheritedFrom !== undefined || member.name === 'name') continue
        app.logger.warn(`${member.getFullName()} is not described`)
      }
    })
  })
}
