import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset, MlpLayer } from '../../src/format/asset.ts';
import { CornerTable, createLattice } from '../../src/partition/corners.ts';
import {
  blobMlp,
  boxMlp,
  layer,
  octahedronMlp,
  plainMlp,
  planeMlp,
  randomField,
  randomMlp,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { between } from '../fixtures/random.ts';

/** Deep layers whose units are multiples of each other: relu(g), relu(-2g), relu(3g + noise-free copies). */
function twinLayers(): MlpLayer[] {
  return [
    layer(
      [
        [1, 0.3, -0.2],
        [-2, -0.6, 0.4],
        [0.5, 0.15, -0.1],
        [0.1, -1, 0.4],
        [-0.1, 1, -0.4],
      ],
      [0.1, -0.2, 0.05, -0.05, 0.05],
    ),
    layer(
      [
        [1, -0.5, 0.3, 0.7, 0.2],
        [-3, 1.5, -0.9, -2.1, -0.6],
        [0.2, 0.4, -0.6, 0.1, 0.9],
      ],
      [-0.1, 0.3, 0.05],
    ),
    layer([[0.7, 0.4, -0.8]], [-0.05]),
  ];
}

/** Fields on which the reduced network is held against the whole one. */
export const REGION_FIELDS: readonly { readonly name: string; readonly make: () => FieldAsset }[] = [
  { name: 'hash grid', make: () => randomField(41, { L: 3, finest: 10 }) },
  {
    name: 'hash grid, hashed, two outputs',
    make: () => randomField(42, { T: 7, L: 4, finest: 12, nOutputs: 2 }),
  },
  { name: 'hash grid, no hidden layer', make: () => randomField(43, { layers: [] }) },
  { name: 'hash grid, three hidden layers', make: () => randomField(44, { layers: [12, 12, 12] }) },
  { name: 'sphere', make: () => sphereField() },
  { name: 'slab', make: () => slabField() },
  { name: 'mlp, one hidden layer', make: () => randomMlp(45, [24]) },
  { name: 'mlp, two hidden layers', make: () => randomMlp(46, [16, 16]) },
  { name: 'mlp, five hidden layers', make: () => randomMlp(47, [10, 10, 10, 10, 10]) },
  { name: 'plane', make: () => planeMlp() },
  { name: 'box', make: () => boxMlp() },
  { name: 'octahedron', make: () => octahedronMlp() },
  { name: 'blob', make: () => blobMlp(48) },
  { name: 'twins', make: () => plainMlp('twins', twinLayers()) },
];

/** A field with a corner table over its marks, or over a uniform lattice of `nBoxes` where it has no grid. */
export function makeTable(asset: FieldAsset, nBoxes = 5): { field: CpuField; table: CornerTable } {
  const field = createCpuField(asset);
  const { min, max } = asset.domain;
  const planes = ([0, 1, 2] as const).map((axis) => {
    if (asset.encoding.kind === 'hash-grid') return field.marks(axis);
    const step = (max[axis] - min[axis]) / nBoxes;
    return Float64Array.from({ length: nBoxes + 1 }, (_, i) =>
      i === nBoxes ? max[axis] : min[axis] + i * step,
    );
  });
  const [x, y, z] = planes;
  return { field, table: new CornerTable(field, createLattice([x, y, z])) };
}

/** A box of the table's lattice: local min and size, and its corners' ids in the order of RegionNetwork. */
export interface LatticeBox {
  readonly min: readonly number[];
  readonly size: readonly number[];
  readonly ids: readonly number[];
}

/** The lattice box [low, high], both integer coordinates; its corners are evaluated. */
export function boxAt(table: CornerTable, low: readonly number[], high: readonly number[]): LatticeBox {
  const ids = Array.from({ length: 8 }, (_, c) => {
    const at = (axis: number) => ((c >> axis) & 1 ? high : low)[axis];
    return table.add(at(0), at(1), at(2));
  });
  table.flush();
  const min = [0, 1, 2].map((k) => table.coordinate(ids[0], k));
  return { min, size: min.map((m, k) => table.coordinate(ids[7], k) - m), ids };
}

/** A random dyadic part of a random base box. */
export function randomBox(table: CornerTable, random: () => number, maxDepth = 4): LatticeBox {
  const { planes, subBits } = table.lattice;
  const low: number[] = [];
  const high: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const depth = Math.floor(random() * (Math.min(maxDepth, subBits) + 1));
    const length = 2 ** (subBits - depth);
    const base = Math.floor(random() * (planes[axis].length - 1)) * 2 ** subBits;
    low.push(base + Math.floor(random() * 2 ** depth) * length);
    high.push(low[axis] + length);
  }
  return boxAt(table, low, high);
}

/** `n` random points of a box: f64[n * 3] local, and in [0, 1]³ of the box. */
export function pointsIn(
  { min, size }: LatticeBox,
  random: () => number,
  n: number,
): { local: Float64Array; unit: Float64Array } {
  const unit = Float64Array.from({ length: n * 3 }, () => between(random, 0, 1));
  return { local: unit.map((t, i) => min[i % 3] + t * size[i % 3]), unit };
}
