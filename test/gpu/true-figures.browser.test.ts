import { afterAll, describe, expect, test } from 'vitest';
import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import { createGpuField } from '../../src/field/gpu/gpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { GpuArena, USAGE } from '../../src/gpu/arena.ts';
import { createItemKernel } from '../../src/gpu/item-kernel.ts';
import { createProgramTools, ProgramBuilder } from '../../src/gpu/program-builder.ts';
import { type DeriveOptions, deriveMesh, disposeWorkers } from '../../src/index.ts';
import { makePlan } from '../../src/pipeline/plan.ts';
import triangleDistanceWgsl from '../../src/surface/gpu/decimate/triangle-distance.wgsl';
import { N_MEASURED } from '../../src/surface/gpu/measure.ts';
import { createPolisher } from '../../src/surface/gpu/polish.ts';
import { COUNTS, SUMMARY_WORDS } from '../../src/surface/gpu/structs.ts';
import { uploadDetail } from '../../src/surface/gpu/surface-program.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { MeshEditor } from '../../src/surface/mesh-editor.ts';
import { boundAlongGradients } from '../../src/surface/mesh-error.ts';
import { DERIVATION_CASES } from '../conformance/cases.ts';
import { sphereField } from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { sharedGpu } from './shared-gpu.ts';

afterAll(disposeWorkers);

const derive = (asset: FieldAsset, options: DeriveOptions) =>
  deriveMesh(asset, { backend: 'gpu', device: sharedGpu.device, cache: false, ...options });

/** One of the cases that the conformance suite derives as well, so that its kernels are there. */
function caseNamed(name: string): FieldAsset {
  const found = DERIVATION_CASES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no case '${name}'.`);
  return found.make();
}

/** The places at which the GPU measures: of some triangles, evenly, centroids and middles of the longest sides in turn. */
function placesOf({ positions, indices }: SurfaceMesh): Float64Array {
  const nTriangles = indices.length / 3;
  const n = Math.min(nTriangles, N_MEASURED);
  const places = new Float64Array(n * 3);
  for (let item = 0; item < n; item++) {
    const t =
      nTriangles > N_MEASURED ? Math.trunc(Math.fround(nTriangles * Math.fround(item / N_MEASURED))) : item;
    const [a, b, c] = [0, 1, 2].map((k) => {
      const vertex = indices[t * 3 + k];
      return [...positions.subarray(vertex * 3, vertex * 3 + 3)];
    });
    const sides = [[a, b] as const, [b, c] as const, [c, a] as const];
    const lengths = sides.map(([p, q]) => Math.hypot(...p.map((x, k) => x - q[k])));
    const [p, q] = sides[lengths.indexOf(Math.max(...lengths))];
    for (let k = 0; k < 3; k++) {
      places[item * 3 + k] = item % 2 === 0 ? (a[k] + b[k] + c[k]) / 3 : (p[k] + q[k]) / 2;
    }
  }
  return places;
}

/** Whether f has its other sign in the domain within so far of a point, going by many places in the ball. */
function isSignNear(field: CpuField, point: Float64Array, distance: number): boolean {
  const n = 8192;
  const { min, max } = field.asset.domain;
  const random = seededRandom(3);
  const around = new Float64Array(3 * (n + 1));
  around.set(point);
  for (let i = 1; i <= n; i++) {
    const way = [0, 1, 2].map(() => between(random, -1, 1));
    const step = (distance * Math.cbrt(i / n)) / Math.hypot(...way);
    for (let k = 0; k < 3; k++) {
      around[3 * i + k] = Math.min(max[k], Math.max(min[k], point[k] + step * way[k]));
    }
  }
  const values = new Float64Array(n + 1);
  field.evaluate(around, values);
  return values.some((f) => f >= 0 !== values[0] >= 0);
}

describe('the error that is told', () => {
  test.each([
    ['beside kinks', 'random mlp, unit input'],
    ['where hashes collide', 'hashed, colliding'],
  ])(
    'is not less than what there is at the places that are measured, nor more than its bound: %s',
    async (_what, name) => {
      const asset = caseNamed(name);
      const tolerance = 4e-3;
      const { mesh, stats } = await derive(asset, { tolerance });
      expect(stats.backendReason).toMatch(/derived on/);
      const field = createCpuField(asset);
      const places = placesOf(mesh);
      const values = new Float64Array(places.length / 3);
      const bounds = boundAlongGradients(places, values, field, asset.domain);
      const most = Math.max(...bounds);
      const told = stats.errorLocal!;
      // No place is farther off than what is told: f has its other sign that near to all of them.
      const far = [...bounds.keys()].filter((i) => bounds[i] > told);
      expect(far.filter((i) => !isSignNear(field, places.subarray(3 * i, 3 * i + 3), 1.02 * told))).toEqual(
        [],
      );
      expect(stats.errorLocal).toBeLessThan(1.02 * most);
      expect(stats.isWithinTolerance).toBe(stats.errorLocal! <= tolerance);
      expect(stats.stops.nPlacesLeft > 0).toBe(stats.errorLocal! > tolerance);
    },
  );

  test('stands beside what limits ended: boxes whose surface is not sure', async () => {
    const { stats } = await derive(caseNamed('random mlp, unit input'), { tolerance: 4e-3 });
    expect(stats.stops.nBoxesUnsound).toBeGreaterThan(0);
    expect(stats.isComplete).toBe(false);
    const sound = await derive(sphereField(), { tolerance: 4e-3 });
    expect(sound.stats.stops).toMatchObject({ nBoxesUnsound: 0, nPlacesLeft: 0, nDivisionsRefused: 0 });
    expect(sound.stats).toMatchObject({ isComplete: true, isWithinTolerance: true });
  });
});

test('a vertex is moved inside of the box that the mesh lies in', async () => {
  const asset = sphereField({ radius: 0.7 });
  const field = await createGpuField(asset, sharedGpu);
  const arena = new GpuArena(sharedGpu);
  try {
    const [tools, polisher] = await Promise.all([
      createProgramTools(sharedGpu),
      createPolisher(field.resources, sharedGpu),
    ]);
    const builder = new ProgramBuilder(tools, arena, COUNTS);
    const bounds = { min: [-0.5, -0.5, -0.5], max: [0.6975, 0.6, 0.5] } as const;
    const { lattice } = makePlan(createCpuField(asset), { tolerance: 0.01 });
    const tolerances = { counts: [1, 1, 1] as const, tolerances: [0.01] };
    const detail = uploadDetail(builder as never, arena, {
      lattice,
      bounds,
      tolerances,
      domain: asset.domain,
    });
    const n = 2;
    const mesh = {
      vertices: builder.create('test.vertices', n * 16),
      normals: builder.create('test.normals', n * 16),
      triangles: builder.create('test.triangles', 24),
      isOff: builder.create('test.isOff', n * 4),
      summary: builder.create('test.summary', SUMMARY_WORDS * 4),
    };
    // The ball's surface lies beyond the box along x, and inside of it between x and y.
    arena.write(mesh.vertices, Float32Array.of(0.697, 0, 0, 0, 0.4205, 0.5607, 0, 0));
    const counts = new Uint32Array(COUNTS.byteLength / 4);
    counts[COUNTS.at.chainVertices] = n;
    arena.write(builder.counts, counts);
    polisher.add(builder, builder.items('chainVertices', n), mesh, detail);
    const encoder = sharedGpu.device.createCommandEncoder();
    for (const part of builder.endProgram().stages()) part.encode(encoder, () => ({}));
    sharedGpu.device.queue.submit([encoder.finish()]);
    const [vertices, isOff] = await arena.readAll(
      [
        [mesh.vertices, n * 16],
        [mesh.isOff, n * 4],
      ],
      'test',
    );
    const at = new Float32Array(vertices);
    expect([...new Uint32Array(isOff)]).toEqual([1, 0]);
    expect(at[0]).toBeLessThanOrEqual(Math.fround(0.6975));
    const values = new Float64Array(1);
    createCpuField(asset).evaluate(Float64Array.from(at.subarray(4, 7)), values);
    expect(Math.abs(values[0])).toBeLessThan(2e-6);
  } finally {
    arena.dispose();
    field.dispose();
  }
});

test('distances from triangles are those of the CPU, beside them too', async () => {
  const n = 256;
  const random = seededRandom(5);
  const given = Float32Array.from({ length: n * 12 }, () => between(random, -1, 1));
  const arena = new GpuArena(sharedGpu);
  const kernel = await createItemKernel(sharedGpu, {
    label: 'test.distances',
    code: `@group(0) @binding(0) var<storage, read> given: array<vec3<f32>>;
@group(0) @binding(1) var<storage, read_write> found: array<f32>;
${triangleDistanceWgsl}
fn measure(i: u32) {
  let p = given[4u * i];
  let a = given[4u * i + 1u];
  found[i] = distanceFrom(p - a, given[4u * i + 2u] - a, given[4u * i + 3u] - a);
}`,
    entry: 'measure',
    count: 'arrayLength(&found)',
  });
  const padded = new Float32Array(n * 16);
  for (let i = 0; i < n * 4; i++) padded.set(given.subarray(i * 3, i * 3 + 3), i * 4);
  const source = arena.upload('test.given', padded, USAGE.storage);
  const target = arena.create('test.found', n * 4, USAGE.storage | USAGE.copySource);
  const encoder = sharedGpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, kernel.bind(source, target));
  pass.dispatchWorkgroups(n / 64);
  pass.end();
  sharedGpu.device.queue.submit([encoder.finish()]);
  const [bytes] = await arena.readAll([[target, n * 4]], 'test');
  arena.dispose();
  const there = new Float32Array(bytes);
  for (let i = 0; i < n; i++) {
    const positions = Float64Array.from(given.subarray(i * 12 + 3, i * 12 + 12));
    const editor = new MeshEditor(positions, 3, Int32Array.of(0, 1, 2), 1, new Uint8Array(3));
    const [x, y, z] = given.subarray(i * 12, i * 12 + 3);
    expect(there[i]).toBeCloseTo(editor.distanceTo(0, 1, 2, x, y, z), 5);
  }
});
