import { concat } from '../arrays.ts';
import { NsdfFormatError } from '../errors.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Lattice } from '../partition/corners.ts';
import type { CullResult } from '../partition/cull.ts';
import { type Forest, forestOf, gatherTrees } from '../partition/forest.ts';
import { decodeRegions, encodeRegions, type Regions, verifyRegions } from '../partition/regions-record.ts';
import { createRandom } from '../surface/check-random.ts';
import type { SettledSlab } from './parts.ts';
import { packRecord, unpackRecord } from './record-envelope.ts';
import { REGIONS_RECORD } from './records.ts';
import type { JobOptions } from './steps.ts';

/** Takes the regions from the job's record; undefined where there is none or it is of no use. */
export function* readRegions(
  field: CpuField,
  lattice: Lattice,
  { regions, recordsFor = '' }: JobOptions,
): Generator<number, Regions | undefined, void> {
  if (regions === undefined) return undefined;
  try {
    const { payload } = unpackRecord(regions, { kind: REGIONS_RECORD, contentHash: recordsFor });
    const found = yield* decodeRegions(payload, lattice);
    const problem = yield* verifyRegions(found, field, lattice, createRandom(found.cull.nBoxes));
    return problem === undefined ? found : undefined;
  } catch (error) {
    if (error instanceof NsdfFormatError) return undefined;
    throw error;
  }
}

/** The record of regions that were just settled, slab by slab. */
export function* recordRegions(
  lattice: Lattice,
  cull: CullResult,
  slabs: readonly SettledSlab[],
  contentHash: string,
): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const trees: { forest: Forest }[] = [];
  for (const slab of slabs) {
    trees.push({ forest: forestOf(lattice, slab.trees) });
    yield 0;
  }
  const boxes = concat(
    Int32Array,
    slabs.map((slab) => slab.trees.boxes),
  );
  const forest = gatherTrees(lattice, trees);
  const payload = yield* encodeRegions(lattice, { cull: { ...cull, boxes }, forest });
  return packRecord({ kind: REGIONS_RECORD, contentHash }, payload);
}
