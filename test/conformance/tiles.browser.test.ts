import { afterAll, afterEach, describe, expect, it, test, vi } from 'vitest';
import { NsdfBudgetError } from '../../src/errors.ts';
import { createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GpuArena } from '../../src/gpu/arena.ts';
import { deriveMesh, disposeWorkers } from '../../src/index.ts';
import { deriveGpuMesh } from '../../src/pipeline/derive.ts';
import { deriveTiles } from '../../src/pipeline/gpu-tiles.ts';
import { checkMesh } from '../../src/surface/check.ts';
import { GpuSurfaceDeriver } from '../../src/surface/gpu/gpu-surface.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { leavingField, sphereField } from '../fixtures/fields.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { countGivenWay } from '../pipeline/event-turns.ts';
import { SOUND } from '../surface/sound.ts';
import { fiveSpheres } from './cases.ts';
import { bunny, readMesh, withDeriver } from './on-gpu.ts';

const context = sharedGpu;
const GPU = { backend: 'gpu', cache: false, device: context.device } as const;
afterEach(() => vi.restoreAllMocks());
afterAll(disposeWorkers);

/** The same surface at once, and in tiles that find room in a share of the bytes that the whole takes. */
function deriveBoth(asset: FieldAsset, tolerance: number, share: number) {
  return withDeriver(asset, tolerance, async (deriver, plan, events) => {
    const whole = await deriver.derive(plan, events, async (surface) => ({
      mesh: await readMesh(surface),
      nBytes: surface.nBytes,
    }));
    const maxBytes = Math.floor(share * whole.nBytes);
    const inTiles = () =>
      deriveTiles(deriver, plan, { ...events, maxBytes }, readMesh, new Error('not divided'));
    return { whole, maxBytes, tiled: await inTiles(), again: await inTiles() };
  });
}

describe('a surface that is derived in tiles', () => {
  it.each<[string, () => FieldAsset | Promise<FieldAsset>, number]>([
    ['five spheres', fiveSpheres, 4e-3],
    ['a sphere that leaves the domain', () => leavingField(), 4e-3],
    ['the bunny', bunny, 1e-3],
  ])('has no seam, and is what it is at once: %s', async (_name, make, tolerance) => {
    const asset = await make();
    const { whole, maxBytes, tiled, again } = await deriveBoth(asset, tolerance, 0.95);
    expect(tiled.nTiles).toBeGreaterThan(1);
    expect(tiled.facts.nBytes).toBeLessThanOrEqual(maxBytes);
    const check = (mesh: SurfaceMesh) =>
      checkMesh(mesh, { field: createCpuField(asset), domain: asset.domain, samples: 4000 });
    const [report, reference] = [await check(tiled.mesh), await check(whole.mesh)];
    expect(report).toMatchObject(SOUND);
    expect(report.nComponents).toBe(reference.nComponents);
    expect(report.eulerCharacteristic).toBe(reference.eulerCharacteristic);
    expect(report.nOpenEdgesOnDomain > 0).toBe(reference.nOpenEdgesOnDomain > 0);
    expect(report.residual!.max).toBeLessThan(1e-6);
    for (const distance of [report.meshToZeroSet!, report.zeroSetToMesh!]) {
      expect(distance.p999).toBeLessThan(1.1 * tolerance);
      expect(distance.max).toBeLessThan(2 * tolerance);
    }
    // What lies on seams is not thinned out.
    expect(tiled.mesh.positions.length).toBeLessThan(1.1 * whole.mesh.positions.length);
    expect(again.mesh).toEqual(tiled.mesh);
  });

  it('is not tried where a tile would be all margin', async () => {
    await expect(deriveBoth(sphereField({ cells: [4] }), 4e-3, 0.05)).rejects.toThrow('not divided');
  });
});

describe('a field too large for the memory there may be', () => {
  /** The first derivation, of the whole, finds no room. */
  function refuseTheWhole(): void {
    const error = new NsdfBudgetError('too large', 2, 1);
    vi.spyOn(GpuSurfaceDeriver.prototype, 'derive').mockRejectedValueOnce(error);
  }

  test('is derived on the GPU in tiles, and says so', async () => {
    refuseTheWhole();
    const options = { ...GPU, tolerance: 4e-3 } as const;
    const fractions: number[] = [];
    const { mesh, stats } = await deriveMesh(fiveSpheres(), {
      ...options,
      onProgress: ({ fraction }) => fractions.push(fraction),
    });
    expect(stats.backendReason).toMatch(/^asked for; derived on google swiftshader in 2 tiles$/);
    expect(await checkMesh(mesh)).toMatchObject({ ...SOUND, nComponents: 5 });
    expect(stats).toMatchObject({
      nVertices: mesh.positions.length / 3,
      nTriangles: mesh.indices.length / 3,
    });
    expect(stats.nBoxes).toBe((await deriveMesh(fiveSpheres(), options)).stats.nBoxes);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  test('has its mesh in buffers where that is asked for', async () => {
    const { device } = context;
    refuseTheWhole();
    const { mesh } = await deriveMesh(fiveSpheres(), { ...GPU, tolerance: 4e-3 });
    refuseTheWhole();
    const onGpu = await deriveGpuMesh(fiveSpheres(), { tolerance: 4e-3, device });
    expect(onGpu.stats.backendReason).toMatch(/derived on .* in 2 tiles, where it stays$/);
    const arena = new GpuArena(context);
    const [positions] = await arena.readAll([[onGpu.positions, onGpu.nVertices * 12]], 'test');
    expect(new Float32Array(positions)).toEqual(mesh.positions);
    const [draw] = await arena.readAll([[onGpu.drawArguments, 20]], 'test');
    expect([...new Uint32Array(draw)]).toEqual([mesh.indices.length, 1, 0, 0, 0]);
    onGpu.dispose();
  });

  test('honours an abort between tiles, and gives way wherever a slice is over', async () => {
    refuseTheWhole();
    const controller = new AbortController();
    const run = deriveMesh(fiveSpheres(), {
      ...GPU,
      tolerance: 4e-3,
      signal: controller.signal,
      onProgress: ({ fraction }) => fraction > 0.5 && controller.abort('enough'),
    });
    await expect(run).rejects.toBe('enough');
    const count = async (passMs: number) => {
      refuseTheWhole();
      return (await countGivenWay(passMs, () => deriveMesh(fiveSpheres(), { ...GPU, tolerance: 4e-3 }))).n;
    };
    const [standing, running] = [await count(0), await count(9)];
    expect(running - standing).toBeGreaterThan(20);
  });
});
