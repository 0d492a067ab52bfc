/** `vgic` as it is installed: without looking first whether a checkout's build is of its source, which is no part of a run. */

const { runProcess } = (await import(new URL('../../../../dist/cli/process.js', import.meta.url).href)) as {
  runProcess(): Promise<void>
}
await runProcess()
