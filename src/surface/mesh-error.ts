import type { Box3 } from '../format/asset.ts';
import type { CheckField } from './check-field.ts';
import { createRandom } from './check-random.ts';
import type { CheckableMesh } from './check-topology.ts';
import { sampleMesh } from './distance-samples.ts';
import { ERROR_SEARCH } from './rules.ts';
import { SignProbe } from './sign-probe.ts';

/** Points of the mesh that are asked: about 5 ms on bunny-S, less than a hundredth of any derivation. */
const N_SAMPLES = 2048;

/**
 * How far a mesh stands off the zero set inside the domain, local units: the largest of bounds on the distances of 2,048
 * points, uniform on the mesh. A point's bound is the least distance found at which f has its other sign: along the
 * gradient, and for the points that are worst in 26 directions, nearer by. One way only: what the mesh lacks is not seen,
 * nor what lies between the points. `checkMesh` measures more, both ways.
 * @param suspects f64[3n], more points of the mesh, where it may be worst.
 */
export function measureMeshError(
  mesh: CheckableMesh,
  field: CheckField,
  domain: Box3,
  suspects: Float64Array = new Float64Array(0),
): number {
  const samples = sampleMesh(mesh, N_SAMPLES, createRandom(1));
  const points = new Float64Array(samples.length + suspects.length);
  points.set(samples);
  points.set(suspects, samples.length);
  const values = new Float64Array(points.length / 3);
  const bounds = boundAlongGradients(points, values, field, domain);
  const probe = new SignProbe(field, domain);
  const worstFirst = [...bounds.keys()].sort((a, b) => bounds[b] - bounds[a]);
  let largest = 0;
  for (const id of worstFirst) {
    if (bounds[id] <= largest) break;
    const near = lookAround(probe, points.subarray(id * 3, id * 3 + 3), values[id], bounds[id], domain);
    largest = Math.max(largest, near);
  }
  return largest;
}

/**
 * The first of `ERROR_SEARCH.aims` at which f has its other sign along the gradient, as a distance; Infinity where none has.
 * @param points f64[3n]
 * @param values f64[n], f there, written.
 * @param box the domain: what lies beside it does not count, places there are moved onto its faces.
 */
export function boundAlongGradients(
  points: Float64Array,
  values: Float64Array,
  field: CheckField,
  { min, max }: Box3,
): Float64Array {
  const n = values.length;
  const bounds = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const gradients = new Float64Array(n * 3);
  field.evaluateWithGradient(points, values, gradients);
  const ahead = new Float64Array(n * 3);
  const valuesAhead = new Float64Array(n);
  const norms = values.map((_, id) =>
    Math.hypot(gradients[id * 3], gradients[id * 3 + 1], gradients[id * 3 + 2]),
  );
  for (let id = 0; id < n; id++) if (values[id] === 0) bounds[id] = 0;
  let open = [...bounds.keys()].filter((id) => values[id] !== 0 && norms[id] > 0);
  for (const aim of ERROR_SEARCH.aims) {
    open.forEach((id, i) => {
      const step = (aim * values[id]) / norms[id];
      for (let k = 0; k < 3; k++) {
        const x = points[id * 3 + k] - step * (gradients[id * 3 + k] / norms[id]);
        ahead[i * 3 + k] = Math.min(max[k], Math.max(min[k], x));
      }
    });
    field.evaluate(ahead, valuesAhead, open.length);
    open.forEach((id, i) => {
      if (valuesAhead[i] >= 0 !== values[id] >= 0) bounds[id] = (aim * Math.abs(values[id])) / norms[id];
    });
    open = open.filter((id) => bounds[id] === Number.POSITIVE_INFINITY);
  }
  return bounds;
}

/** A bound on the distance of one point, from signs around it; `bound` where nothing nearer is found. */
function lookAround(
  probe: SignProbe,
  [x, y, z]: Float64Array,
  f: number,
  bound: number,
  { min, max }: Box3,
): number {
  const diagonal = Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
  let most = Math.min(bound, diagonal);
  if (bound === Number.POSITIVE_INFINITY) {
    for (most = ERROR_SEARCH.least * diagonal; most < diagonal; most *= ERROR_SEARCH.growth)
      if (probe.isCrossedAround(f, x, y, z, most)) break;
  }
  const part = ERROR_SEARCH.parts.find((share) => probe.isCrossedAround(f, x, y, z, share * most));
  return part === undefined ? most : part * most;
}
