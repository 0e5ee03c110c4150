import { NsdfFormatError } from '../errors.ts';
import type { CornerTable } from '../partition/corners.ts';
import { cullBoxes } from '../partition/cull.ts';
import type { Forest } from '../partition/forest.ts';
import { decodeRegions, encodeRegions, type Regions } from '../partition/regions-record.ts';
import { verifyRegions } from '../partition/verify-regions.ts';
import { createRandom } from '../surface/check-random.ts';
import { packRecord, unpackRecord } from './record-envelope.ts';
import { REGIONS_RECORD } from './records.ts';
import type { JobOptions } from './steps.ts';

/** Regions, and whether they come from a record. */
export type FoundRegions = Regions & { readonly isSeeded: boolean };

/** Takes the regions from the job's record, or finds them by culling where there is none or it is of no use. */
export function* findRegions(
  table: CornerTable,
  { regions, recordsFor = '', candidates }: JobOptions,
): Generator<number, FoundRegions, void> {
  if (regions !== undefined) {
    try {
      const { payload } = unpackRecord(regions, { kind: REGIONS_RECORD, contentHash: recordsFor });
      const found = yield* decodeRegions(payload, table.lattice);
      const problem = yield* verifyRegions(
        found,
        table.field,
        table.lattice,
        createRandom(found.cull.nBoxes),
      );
      if (problem === undefined) return { ...found, isSeeded: true };
    } catch (error) {
      if (!(error instanceof NsdfFormatError)) throw error;
    }
  }
  return {
    cull: yield* cullBoxes(table.field, table.lattice, table, candidates),
    forest: undefined,
    isSeeded: false,
  };
}

/** The record of regions that were just settled. */
export function* recordRegions(
  { lattice }: CornerTable,
  { cull }: FoundRegions,
  forest: Forest,
  contentHash: string,
): Generator<number, Uint8Array<ArrayBuffer>, void> {
  const payload = yield* encodeRegions(lattice, { cull, forest });
  return packRecord({ kind: REGIONS_RECORD, contentHash }, payload);
}
