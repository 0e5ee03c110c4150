// Rules of the surface that the CPU and the GPU have in common; kernels get them as WGSL (`ruleConstants`).

/** How a point's distance from the zero set is bounded by changes of f's sign: see mesh-error.ts. */
export const ERROR_SEARCH = {
  /** Points of a mesh that are asked: about 20 ms on bunny-S, a hundredth of a derivation. */
  samples: 8192,
  /** Of a mesh that is not certified complete: what its boxes did not settle may be as small as it likes. */
  samplesUncertain: 65_536,
  /** Distances along the gradient, times |f| / |∇f|, at which f's other sign is looked for; the first is nearly always enough. */
  aims: [1.001, 1.02, 1.1, 1.3, 1.7, 2.5, 4, 8],
  /** How far around points of the zero set that are far from the mesh others are looked for, tolerances, at first. */
  reach: 4,
} as const;

/** How it is decided whether a triangle stands off: see triangle-sampler.ts. */
export const SAMPLING = {
  /** Along a normal whose cosine with the gradient is less than this a distance means little. */
  leastCosine: 0.3,
  /** Share beyond which, going by the slope at the corners, the gradient is asked. */
  look: 0.5,
} as const;

/** What a collapse must keep: see decimate.ts. */
export const COLLAPSE = {
  /** Share of the tolerance by which sampled points of new triangles may stand off the zero set. */
  sampleShare: 0.61,
  /** Least cosine between a new triangle's normal and the surface's at its corners. */
  leastCosine: 0.5,
  /** Least height over longest side of a new triangle. */
  leastAspect: 0.03,
  /** Triangles around a vertex, at most. */
  maxRing: 24,
} as const;

/** Least cosine between a divided triangle's parts and the surface's normal, or its own. */
export const LEAST_FACING = 0.1;
