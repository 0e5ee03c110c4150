import type { FieldAsset } from '../../src/format/asset.ts';
import { blobMlp, FIELD_CASES, multiField, randomField, withHalfTable } from '../fixtures/fields.ts';

const NAMES = [
  'sphere, oblong domain',
  'multi',
  'slab',
  'empty',
  'leaving',
  'plane on grid',
  'box on grid',
  'random, one layer',
  'box mlp',
  'random mlp, unit input',
];

/** Fields on which the culls of CPU and GPU keep different boxes too: those that hold no surface. */
export const DERIVATION_CASES: readonly { readonly name: string; readonly make: () => FieldAsset }[] = [
  ...FIELD_CASES.filter(({ name }) => NAMES.includes(name)),
  { name: 'blob mlp, three layers', make: () => blobMlp(6, [12, 12, 12]) },
  { name: 'multi in half precision', make: () => withHalfTable(multiField({ cells: [4, 16] })) },
  { name: 'hashed, colliding', make: () => randomField(12, { T: 7, L: 4, finest: 12 }) },
];
