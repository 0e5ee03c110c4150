/** Dawn for Node, an optional peer: what we use of it. */
declare module 'webgpu' {
  /** @param options Dawn's own switches, `name=value`. */
  export function create(options: readonly string[]): GPU;
}
