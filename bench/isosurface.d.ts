declare module 'isosurface' {
  type Triple = [number, number, number];
  interface Surface {
    readonly positions: Triple[];
    readonly cells: Triple[];
  }
  export function marchingCubes(
    dims: Triple,
    potential: (x: number, y: number, z: number) => number,
    bounds?: [min: Triple, max: Triple],
  ): Surface;
}
