import { createFrame } from '../../src/field/frame.ts';
import type { GpuField } from '../../src/field/gpu/gpu-field.ts';
import { tableBuffers } from '../../src/field/gpu/resources.ts';
import { FRAME, fieldFunctions, tableBindings, weightBinding } from '../../src/field/gpu/wgsl-evaluate.ts';
import { tableWgsl } from '../../src/field/gpu/wgsl-table.ts';
import { GpuArena, USAGE } from '../../src/gpu/arena.ts';
import { guarded, settle } from '../../src/gpu/context.ts';
import { defineCounts } from '../../src/gpu/counts.ts';
import { SCAN_BLOCK } from '../../src/gpu/item-count.ts';
import { createKernel, GROUP_SIZE, groupsFor, ITEM_INDEX_WGSL, type Kernel } from '../../src/gpu/kernel.ts';
import { createProgramTools, ProgramBuilder, type ProgramTools } from '../../src/gpu/program-builder.ts';
import { defineStruct } from '../../src/gpu/struct.ts';
import { createTimestamps } from '../../src/gpu/timestamps.ts';
import { buildTable } from '../../src/surface/marching-cubes-table.ts';
import countWgsl from './count.wgsl';
import emitWgsl from './emit.wgsl';
import sharedWgsl from './marching-cubes.wgsl';

const MARCH = defineStruct('March', {
  /** Cells an axis. */
  cells: 'vec3<u32>',
  nPoints: 'u32',
  low: 'vec3<f32>',
  step: 'vec3<f32>',
});

const COUNTS = defineCounts(['points', 'vertices', 'triangles']);

/** u32: first triangle of each case (257), then the triangles' edges, then the near corner of each edge. */
function packTable(): { words: Uint32Array<ArrayBuffer>; firstTriangle: number; edgeCorner: number } {
  const { first, triangleEdges, edgeCorner } = buildTable();
  const words = new Uint32Array(first.length + triangleEdges.length + edgeCorner.length);
  words.set(first);
  words.set(triangleEdges, first.length);
  words.set(edgeCorner, first.length + triangleEdges.length);
  return { words, firstTriangle: first.length, edgeCorner: first.length + triangleEdges.length };
}

export interface GpuMarch {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  /** From the first submission to the last buffer's completion on the GPU; reading back is not in it. */
  readonly timeMs: number;
  readonly readMs: number;
  readonly gpuTimeMs: Readonly<Record<string, number>>;
  readonly nBytes: number;
}

/** Dense marching cubes whose field evaluation and extraction both run on the GPU. */
export interface GpuMarchingCubes {
  run(resolution: number): Promise<GpuMarch>;
}

/** Compiles the kernels for a field: its generated evaluation, counting, scanning, emitting. */
export async function createGpuMarchingCubes(field: GpuField): Promise<GpuMarchingCubes> {
  const { context } = field;
  const { words, firstTriangle, edgeCorner } = packTable();
  const head = `const SCAN_BLOCK = ${SCAN_BLOCK}u;
const FIRST_TRIANGLE = ${firstTriangle}u;
const EDGE_CORNER = ${edgeCorner}u;
${MARCH.wgsl}${ITEM_INDEX_WGSL}`;
  const kernelOf = (name: string, code: string): Promise<Kernel> =>
    createKernel(context, { label: `march.${name}`, code, entryPoint: name });
  const [lattice, count, emit, programs] = await Promise.all([
    kernelOf('lattice', latticeCode(field, head)),
    kernelOf('count', head + countWgsl + sharedWgsl),
    kernelOf('emit', head + emitWgsl + sharedWgsl),
    createProgramTools(context),
  ]);
  return { run: (resolution) => march({ field, words, lattice, count, emit, programs }, resolution) };

  function latticeCode({ resources: code }: GpuField, start: string): string {
    return `${start}${FRAME.wgsl}${tableWgsl(code.shape)}
@group(0) @binding(0) var<uniform> march: March;
@group(0) @binding(1) var<uniform> frame: Frame;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
${weightBinding(code, 3)}${tableBindings(code.shape, 4)}${fieldFunctions(code, false)}
@compute @workgroup_size(${GROUP_SIZE})
fn lattice(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) nGroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = itemIndex(group, nGroups, local);
  if (i >= march.nPoints) { return; }
  let side = march.cells + 1u;
  let p = vec3<u32>(i % side.x, (i / side.x) % side.y, i / (side.x * side.y));
  values[i] = fieldAt(march.low + vec3<f32>(p) * march.step);
}
`;
  }
}

interface MarchTools {
  readonly field: GpuField;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly lattice: Kernel;
  readonly count: Kernel;
  readonly emit: Kernel;
  readonly programs: ProgramTools;
}

async function march(tools: MarchTools, resolution: number): Promise<GpuMarch> {
  const { field, words, lattice, count, emit, programs } = tools;
  const { context, asset, resources } = field;
  const { device } = context;
  const { min, max } = asset.domain;
  const cell = Math.max(...min.map((low, k) => max[k] - low)) / resolution;
  const cells = min.map((low, k) => Math.max(1, Math.round((max[k] - low) / cell)));
  const nPoints = (cells[0] + 1) * (cells[1] + 1) * (cells[2] + 1);
  const arena = new GpuArena(context);
  const start = performance.now();
  try {
    const times = createTimestamps(arena, 'march', 8);
    const encodePass = (encoder: GPUCommandEncoder, kernel: Kernel, group: GPUBindGroup): void => {
      const pass = encoder.beginComputePass(times.pass(kernel.label));
      pass.setPipeline(kernel.pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...groupsFor(nPoints, GROUP_SIZE));
      pass.end();
    };
    const counted = await guarded(context, 'march', () => {
      const step = min.map((low, k) => (max[k] - low) / cells[k]);
      const params = arena.upload(
        'march.params',
        MARCH.pack({ cells, nPoints, low: min, step }),
        USAGE.uniform,
      );
      const inputSpace = asset.encoding.kind === 'none' ? asset.encoding.inputSpace : 'unit';
      const frame = FRAME.pack({ ...createFrame(asset.domain, inputSpace), nPoints });
      const values = arena.create('march.values', nPoints * 4, USAGE.storage);
      const cases = arena.upload('march.cases', words, USAGE.storage);
      const nVertices = arena.create('march.nVertices', nPoints * 4, USAGE.storage);
      const nTriangles = arena.create('march.nTriangles', nPoints * 4, USAGE.storage);
      const builder = new ProgramBuilder(programs, arena, COUNTS);
      arena.write(builder.counts, Uint32Array.of(nPoints), COUNTS.at.points * 4);
      builder.stage('march.scan');
      const points = builder.items('points', nPoints);
      const vertices = builder.scan('march.vertices', points, nVertices, { to: 'vertices' });
      const triangles = builder.scan('march.triangles', points, nTriangles, { to: 'triangles' });
      const encoder = device.createCommandEncoder({ label: 'nsdf.march' });
      const frameBuffer = arena.upload('march.frame', frame, USAGE.uniform);
      encodePass(
        encoder,
        lattice,
        lattice.bind(params, frameBuffer, values, resources.weights, ...tableBuffers(resources)),
      );
      encodePass(encoder, count, count.bind(params, values, cases, nVertices, nTriangles));
      builder.program.encode(encoder, (label) => times.pass(label));
      device.queue.submit([encoder.finish()]);
      return { params, values, cases, vertices, triangles, counts: builder.counts };
    });
    const { params, values, cases, vertices, triangles } = counted;
    const counts = new Uint32Array(await arena.read(counted.counts, COUNTS.byteLength, 'march'));
    const [nVertices, nTriangles] = [counts[COUNTS.at.vertices], counts[COUNTS.at.triangles]];
    const out = await guarded(context, 'march', () => {
      const usage = USAGE.storage | USAGE.copySource;
      const positions = arena.create('march.positions', nVertices * 12, usage);
      const indices = arena.create('march.indices', nTriangles * 12, usage);
      const encoder = device.createCommandEncoder({ label: 'nsdf.march.emit' });
      encodePass(
        encoder,
        emit,
        emit.bind(
          params,
          values,
          cases,
          vertices.offsets,
          vertices.sums,
          triangles.offsets,
          triangles.sums,
          positions,
          indices,
        ),
      );
      times.resolve(encoder);
      device.queue.submit([encoder.finish()]);
      return { positions, indices };
    });
    await settle(context, 'march', device.queue.onSubmittedWorkDone());
    const timeMs = performance.now() - start;
    const positions = new Float32Array(await arena.read(out.positions, nVertices * 12, 'march'));
    const indices = new Uint32Array(await arena.read(out.indices, nTriangles * 12, 'march'));
    const readMs = performance.now() - start - timeMs;
    return { positions, indices, timeMs, readMs, gpuTimeMs: await times.read(), nBytes: arena.nBytes };
  } finally {
    arena.dispose();
  }
}
