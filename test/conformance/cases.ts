import type { FieldAsset } from '../../src/format/asset.ts';
import {
  blobMlp,
  emptyField,
  FIELD_CASES,
  multiField,
  randomField,
  withHalfTable,
} from '../fixtures/fields.ts';

const NAMES = [
  'sphere, oblong domain',
  'slab',
  'leaving',
  'plane on grid',
  'box on grid',
  'random, one layer',
  'box mlp',
  'random mlp, unit input',
];

/** Of the shape of the single sphere, with a crease more than they need: kernels are compiled for a shape. */
export const fiveSpheres = (): FieldAsset => multiField({ thresholds: [-0.05, 0.04, 0.3] });

/** Fields on which the culls of CPU and GPU keep different boxes too: those that hold no surface. */
export const DERIVATION_CASES: readonly { readonly name: string; readonly make: () => FieldAsset }[] = [
  ...FIELD_CASES.filter(({ name }) => NAMES.includes(name)),
  { name: 'multi', make: fiveSpheres },
  { name: 'empty', make: () => emptyField({ thresholds: [0.5, -0.5, 0.9] }) },
  { name: 'blob mlp, three layers', make: () => blobMlp(6, [12, 12, 12]) },
  { name: 'multi in half precision', make: () => withHalfTable(multiField({ cells: [4, 16] })) },
  { name: 'hashed, colliding', make: () => randomField(12, { T: 7, L: 4, finest: 12 }) },
];
