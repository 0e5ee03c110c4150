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
import { createMeasurer, N_MEASURED } from '../../src/surface/gpu/measure.ts';
import { createPolisher } from '../../src/surface/gpu/polish.ts';
import { COUNTS, MARKS, SUMMARY_AT, SUMMARY_WORDS } from '../../src/surface/gpu/structs.ts';
import { uploadDetail } from '../../src/surface/gpu/surface-program.ts';
import { wholeTile } from '../../src/surface/gpu/tiles.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import { MeshEditor } from '../../src/surface/mesh-editor.ts';
import { boundAlongGradients } from '../../src/surface/mesh-error.ts';
import { CLOSEST_PATTERN } from '../../src/surface/triangle-sampler.ts';
import { TriangleTree } from '../../src/surface/triangle-tree.ts';
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

/** The places that the GPU looks at where a triangle is off by more than a share of the tolerance, and more, of all triangles. */
function patternPlacesOf({ positions, indices }: SurfaceMesh): Float64Array {
  const { weights } = CLOSEST_PATTERN;
  const n = weights.length / 3;
  return Float64Array.from({ length: (indices.length / 3) * n * 3 }, (_, i) => {
    const k = i % 3;
    const place = (i - k) / 3;
    const t = Math.floor(place / n);
    const w = weights.subarray((place % n) * 3, (place % n) * 3 + 3);
    return w.reduce((sum, each, corner) => sum + each * positions[indices[t * 3 + corner] * 3 + k], 0);
  });
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
      const told = stats.errorLocal!;
      // No place is farther off than what is told: f has its other sign that near to all of them.
      const far = [...bounds.keys()].filter((i) => bounds[i] > told);
      expect(far.filter((i) => !isSignNear(field, places.subarray(3 * i, 3 * i + 3), 1.02 * told))).toEqual(
        [],
      );
      const everywhere = patternPlacesOf(mesh);
      const closely = new Float64Array(everywhere.length / 3);
      const most = [bounds, boundAlongGradients(everywhere, closely, field, asset.domain)]
        .flatMap((each) => [...each])
        .reduce((a, b) => Math.max(a, b));
      expect(told).toBeLessThan(1.02 * most);
      const larger = Math.max(told, stats.errorBackLocal!);
      expect(stats.errorBackLocal).toBeGreaterThan(0);
      expect(stats.isWithinTolerance).toBe(larger <= tolerance);
      expect(stats.stops.nPlacesLeft > 0).toBe(larger > tolerance);
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

describe('how far the zero set is from the mesh', () => {
  const asset = sphereField({ radius: 0.6 });
  const field = createCpuField(asset);
  /** The point of the zero set in a direction from the ball's centre. */
  const onBall = (direction: readonly number[]): number[] => {
    const size = Math.hypot(...direction);
    const value = new Float64Array(1);
    let [low, high] = [0.3, 0.9];
    while (high - low > 1e-9) {
      const middle = (low + high) / 2;
      field.evaluate(
        Float64Array.from(direction, (x) => (middle * x) / size),
        value,
      );
      if (value[0] < 0) low = middle;
      else high = middle;
    }
    return direction.map((x) => (low * x) / size);
  };
  const random = seededRandom(11);
  const anyDirection = (): number[] => [0, 1, 2].map(() => between(random, -1, 1));

  /** An octahedron with its corners on the ball; where x and y are positive its sides are in n parts, on the flat. */
  const octahedron = (n: number): SurfaceMesh => {
    const positions: number[] = [];
    const indices: number[] = [];
    for (let octant = 0; octant < 8; octant++) {
      const signs = [0, 1, 2].map((k) => ((octant >> k) & 1 ? -1 : 1));
      const corners = [0, 1, 2].map((k) => onBall([0, 1, 2].map((axis) => (axis === k ? signs[k] : 0))));
      const parts = octant % 4 === 0 ? n : 1;
      const at = (i: number, j: number): number => {
        const w = [parts - i - j, i, j];
        positions.push(
          ...[0, 1, 2].map((k) => w.reduce((sum, each, c) => sum + (each * corners[c][k]) / parts, 0)),
        );
        return positions.length / 3 - 1;
      };
      for (let i = 0; i < parts; i++) {
        for (let j = 0; j < parts - i; j++) {
          indices.push(at(i, j), at(i + 1, j), at(i, j + 1));
          if (i + j + 2 <= parts) indices.push(at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
        }
      }
    }
    return {
      positions: Float32Array.from(positions),
      normals: new Float32Array(positions.length),
      indices: Uint32Array.from(indices),
    };
  };

  /** What is told of a mesh whose removed vertices are known. */
  async function tellBack(
    { positions, indices }: SurfaceMesh,
    removed: number[][],
    tolerance: number,
    seam?: number,
  ) {
    const gpuField = await createGpuField(asset, sharedGpu);
    const arena = new GpuArena(sharedGpu);
    try {
      const [tools, measurer] = await Promise.all([
        createProgramTools(sharedGpu),
        createMeasurer(gpuField.resources, sharedGpu),
      ]);
      const builder = new ProgramBuilder(tools, arena, COUNTS);
      const { lattice } = makePlan(field, { tolerance });
      const tile = wholeTile(lattice);
      const [, y, z] = tile.seams.max;
      const detail = uploadDetail(builder as never, arena, {
        lattice,
        bounds: asset.domain,
        tolerances: { counts: [1, 1, 1], tolerances: [tolerance] },
        domain: asset.domain,
        ...(seam !== undefined && { tile: { ...tile, seams: { ...tile.seams, max: [seam, y, z] } } }),
      });
      const nTriangles = indices.length / 3;
      const nLive = positions.length / 3;
      const nVertices = nLive + removed.length;
      const places = new Float32Array(4 * nVertices);
      for (let v = 0; v < nVertices; v++) {
        places.set(v < nLive ? positions.subarray(3 * v, 3 * v + 3) : removed[v - nLive], 4 * v);
      }
      const triangles = new Uint32Array(6 * nTriangles);
      for (let t = 0; t < nTriangles; t++) triangles.set(indices.subarray(3 * t, 3 * t + 3), 6 * t);
      const upload = (name: string, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) =>
        arena.upload(`test.${name}`, data, USAGE.storage);
      const mesh = {
        vertices: upload('vertices', places),
        normals: builder.create('test.normals', 16),
        triangles: upload('triangles', triangles),
        marks: upload(
          'marks',
          Uint32Array.from({ length: nVertices }, (_, v) => MARKS.before | (v < nLive ? MARKS.after : 0)),
        ),
        summary: builder.create('test.summary', SUMMARY_WORDS * 4),
      };
      builder.clear(mesh.summary);
      const counts = new Uint32Array(COUNTS.byteLength / 4);
      counts[COUNTS.at.outTriangles] = nTriangles;
      counts[COUNTS.at.meshVertices] = nVertices;
      arena.write(builder.counts, counts);
      const left = {
        listed: upload(
          'listed',
          Uint32Array.from({ length: nTriangles }, (_, t) => t),
        ),
        byTriangles: builder.items('outTriangles', nTriangles),
        byVertices: builder.items('meshVertices', nVertices),
      };
      measurer.add(builder, left, mesh, detail);
      const encoder = sharedGpu.device.createCommandEncoder();
      for (const part of builder.endProgram().stages()) part.encode(encoder, () => ({}));
      sharedGpu.device.queue.submit([encoder.finish()]);
      const [summary] = await arena.readAll([[mesh.summary, SUMMARY_WORDS * 4]], 'test');
      return new Float32Array(summary)[SUMMARY_AT.back];
    } finally {
      arena.dispose();
      gpuField.dispose();
    }
  }

  const farthest = (mesh: SurfaceMesh, points: number[][]): number => {
    const tree = new TriangleTree({ ...mesh, positions: Float64Array.from(mesh.positions) });
    return Math.max(...points.map(([x, y, z]) => tree.closest(x, y, z)));
  };

  const everywhere = Array.from({ length: 20_000 }, () => onBall(anyDirection()));

  test.each([
    [1, 'large'],
    [40, 'of two sizes'],
  ])(
    'is not less than that of any vertex that was removed, nor more than there is: triangles %s, %s',
    async (n) => {
      const mesh = octahedron(n);
      const most = farthest(mesh, everywhere);
      for (let k = 0; k < 4; k++) {
        // So large a tolerance that none counts as far: nothing is looked for around them.
        const removed = [onBall(anyDirection())];
        const told = await tellBack(mesh, removed, 2 * most);
        expect(told).toBeGreaterThan(0.9999 * farthest(mesh, removed));
        expect(told).toBeLessThan(1.001 * most);
      }
    },
  );

  test('is looked for around the farthest of them', async () => {
    const mesh = octahedron(3);
    const removed = Array.from({ length: 40 }, () => onBall(anyDirection()));
    const most = farthest(mesh, everywhere);
    const told = await tellBack(mesh, removed, 0.6 * most);
    expect(told).toBeGreaterThan(farthest(mesh, removed));
    expect(told).toBeGreaterThan(0.999 * most);
    expect(told).toBeLessThan(1.001 * most);
  });

  test('is not looked for beyond a seam, where another tile goes on', async () => {
    const { indices, ...whole } = octahedron(3);
    const isBelow = (t: number): boolean =>
      [0, 1, 2].every((k) => whole.positions[3 * indices[3 * t + k]] <= 0);
    const mesh = { ...whole, indices: indices.filter((_, i) => isBelow(Math.floor(i / 3))) };
    const removed = [onBall([-0.3, 1, 1])];
    const below = everywhere.filter(([x]) => x <= 0);
    expect(await tellBack(mesh, removed, 0.6 * farthest(mesh, below), 0)).toBeLessThan(
      1.001 * farthest(mesh, below),
    );
  });

  test('is the diagonal where it is more than twice the tolerance', async () => {
    const told = await tellBack(octahedron(1), [onBall([1, 1, 1])], 0.01);
    expect(told).toBeCloseTo(Math.sqrt(12), 5);
  });

  test('is nothing where no vertex was removed', async () => {
    expect(await tellBack(octahedron(1), [], 0.01)).toBe(0);
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
      marks: builder.create('test.marks', n * 4),
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
    const [vertices, marks] = await arena.readAll(
      [
        [mesh.vertices, n * 16],
        [mesh.marks, n * 4],
      ],
      'test',
    );
    const at = new Float32Array(vertices);
    expect([...new Uint32Array(marks)]).toEqual([1, 0]);
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
