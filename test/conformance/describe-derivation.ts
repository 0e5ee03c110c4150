import { describe, expect, it } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { Box3, FieldAsset } from '../../src/format/asset.ts';
import type { Backend, DeriveOptions } from '../../src/options.ts';
import type { DeriveResult } from '../../src/pipeline/figures.ts';
import { checkMesh, type MeshReport } from '../../src/surface/check.ts';
import { MISSED } from '../../src/surface/gpu/structs.ts';
import { SOUND } from '../surface/sound.ts';
import { DERIVATION_CASES } from './cases.ts';

// Just too fine for lattice levels of these fields, so that every backend derives.
const REGION: DeriveOptions = {
  resolution: 26,
  region: { min: [-0.4, -0.3, -0.5], max: [0.3, 0.55, 1.4] },
};
/** What is derived in single precision where a backend computes in it. */
const SINGLE: readonly DeriveOptions[] = [{ tolerance: 4e-3 }, REGION];
/** What is derived in double precision everywhere. */
const DOUBLE: readonly DeriveOptions[] = [{ exact: true }];

/** Derives on one backend, with no fallback and no cache. */
export type DeriveOn = (asset: FieldAsset, options: DeriveOptions) => Promise<DeriveResult>;

/** Two backends: the one that is tested, and the reference, in place on the CPU. */
export interface Pair {
  readonly backend: Backend;
  readonly derive: DeriveOn;
  readonly deriveHere: DeriveOn;
}

/** What the statistics say of a mesh that is made by the worker, because a backend of single precision left it to the rest. */
function searchedBy(backend: Backend): Partial<DeriveResult['stats']> {
  return { backend: 'worker', searchedBy: backend as 'gpu' };
}

/**
 * A backend that computes as the reference does has to give the bytes that the reference gives, and tell the truth about
 * where it ran.
 */
export function describeSameBytes({ backend, derive, deriveHere }: Pair, isSingle: boolean): void {
  const ways = isSingle ? DOUBLE : [...SINGLE, ...DOUBLE];
  const who = isSingle ? searchedBy(backend) : { backend };
  describe.each(DERIVATION_CASES)(`${backend}: $name`, ({ make }) => {
    const asset = make();

    it.each(ways)('gives the same bytes as the cpu: %o', async (options) => {
      const [there, here] = [await derive(asset, options), await deriveHere(asset, options)];
      expect(there.stats).toMatchObject(who);
      expect(here.stats.backend).toBe('cpu');
      expect(there.isEmpty).toBe(here.isEmpty);
      expect(there.mesh).toEqual(here.mesh);
      expect(there.stats.nBoxes).toBe(here.stats.nBoxes);
      expect(there.stats.toleranceLocal).toBe(here.stats.toleranceLocal);
      // Neither cull loses a box with surface; how many others they keep differs.
      expect(there.stats.nBoxesSurviving).toBeLessThanOrEqual(1.02 * here.stats.nBoxesSurviving + 8);
    });
  });
}

/** What a mesh derived in single precision has to keep. */
const TOLERANCES = {
  /** |f| / typical |∇f| at the vertices, which are float32 on every backend. */
  residualMax: 1e-5,
  residualMean: 2e-7,
  /** Of the tolerance: sampled distances, both ways, all but a thousandth and the worst. The reference keeps 1. */
  distanceP999: 1.1,
  distanceMax: 1.5,
  errorLocal: 1.25,
  /** The same where single points are farther off, at most as far as the GPU's judge lets pass: 1.98 here. */
  errorLocalOf: { 'hashed, colliding': MISSED.most } as Readonly<Record<string, number>>,
  /** Times the reference's, and more, at faces of the domain, where vertices stay here. */
  nVertices: [1.25, 300],
} as const;

/** What of the domain lies in a region. */
function common(domain: Box3, region: Box3 = domain): Box3 {
  const pick = (of: (...xs: number[]) => number, end: 'min' | 'max'): [number, number, number] => [
    of(domain[end][0], region[end][0]),
    of(domain[end][1], region[end][1]),
    of(domain[end][2], region[end][2]),
  ];
  return { min: pick(Math.max, 'min'), max: pick(Math.min, 'max') };
}

/**
 * A backend that computes in single precision has to give a mesh as sound as the reference's, of the same shape, and the
 * same one each time; or leave it to the rest in double precision, and say why.
 * @param exceptions names of the cases that it may leave to the rest.
 */
export function describeSameSurface(
  { backend, derive, deriveHere }: Pair,
  exceptions: readonly string[],
): void {
  describe.each(DERIVATION_CASES)(`${backend}: $name`, ({ name, make }) => {
    const asset = make();

    const check = (mesh: DeriveResult['mesh'], { region }: DeriveOptions): Promise<MeshReport> =>
      checkMesh(mesh, { field: createCpuField(asset), domain: common(asset.domain, region), samples: 1000 });

    it.each(SINGLE)('gives a surface like the one of the cpu: %o', async (options) => {
      const [there, here] = [await derive(asset, options), await deriveHere(asset, options)];
      expect(there.isEmpty).toBe(here.isEmpty);
      expect(there.stats.nBoxes).toBe(here.stats.nBoxes);
      const { backendReason, toleranceLocal } = there.stats;
      expect(toleranceLocal).toBe(here.stats.toleranceLocal);
      if (/culled on .*, the rest by /.test(backendReason)) {
        expect(exceptions, backendReason).toContain(name);
        expect(there.stats).toMatchObject(searchedBy(backend));
        expect(there.mesh).toEqual(here.mesh);
        return;
      }
      expect(backendReason).toMatch(/derived on /);
      expect(there.stats.backend).toBe(backend);
      const again = await derive(asset, options);
      expect(again.mesh).toEqual(there.mesh);
      const [report, reference] = [await check(there.mesh, options), await check(here.mesh, options)];
      expect(report).toMatchObject(SOUND);
      expect(report.nComponents).toBe(reference.nComponents);
      expect(report.eulerCharacteristic).toBe(reference.eulerCharacteristic);
      expect(report.nOpenEdgesOnDomain > 0).toBe(reference.nOpenEdgesOnDomain > 0);
      expect(report.residual!.max).toBeLessThan(TOLERANCES.residualMax);
      expect(report.residual!.mean).toBeLessThan(TOLERANCES.residualMean);
      if (there.isEmpty) return;
      for (const distance of [report.meshToZeroSet!, report.zeroSetToMesh!]) {
        expect(distance.p999).toBeLessThan(TOLERANCES.distanceP999 * toleranceLocal);
        expect(distance.max).toBeLessThan(TOLERANCES.distanceMax * toleranceLocal);
      }
      const [times, more] = TOLERANCES.nVertices;
      expect(there.stats.nVertices).toBeLessThan(times * here.stats.nVertices + more);
      expect(there.stats.errorLocal!).toBeLessThan(
        (TOLERANCES.errorLocalOf[name] ?? TOLERANCES.errorLocal) * toleranceLocal,
      );
    });
  });
}
