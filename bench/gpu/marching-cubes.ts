import { createFrame } from '../../src/field/frame.ts';
import type { GpuField } from '../../src/field/gpu/gpu-field.ts';
import { tableBuffers } from '../../src/field/gpu/resources.ts';
import { FRAME, fieldFunctions, tableBindings, weightBinding } from '../../src/field/gpu/wgsl-evaluate.ts';
import { tableWgsl } from '../../src/field/gpu/wgsl-table.ts';
import { GpuArena, USAGE } from '../../src/gpu/arena.ts';
import { guarded } from '../../src/gpu/context.ts';
import { defineCounts } from '../../src/gpu/counts.ts';
import { SCAN_BLOCK } from '../../src/gpu/item-count.ts';
import { createKernel, GROUP_SIZE, groupsFor, ITEM_INDEX_WGSL, type Kernel } from '../../src/gpu/kernel.ts';
import { createProgramTools, ProgramBuilder, type ProgramTools } from '../../src/gpu/program-builder.ts';
import type { ScanResult } from '../../src/gpu/scan.ts';
import { defineStruct } from '../../src/gpu/struct.ts';
import { createTimestamps, type Timestamps } from '../../src/gpu/timestamps.ts';
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
  /** From the submission until the mesh is on the GPU and its counts are known here; reading it back is not in it. */
  readonly timeMs: number;
  readonly readMs: number;
  readonly gpuTimeMs: Readonly<Record<string, number>>;
  readonly nBytes: number;
}

/** Dense marching cubes whose field evaluation and extraction both run on the GPU. */
export interface GpuMarchingCubes {
  run(resolution: number): Promise<GpuMarch>;
  /** Frees what is kept for the next run. */
  release(): void;
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
  return new Marcher({ field, words, lattice, count, emit, programs });

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

/** A lattice with all that marching it takes: what a run made is there for the next one, as it is for ours. */
interface MarchedLattice {
  readonly arena: GpuArena;
  readonly encode: (encoder: GPUCommandEncoder, times: Timestamps) => void;
  readonly counts: GPUBuffer;
  readonly vertices: ScanResult;
  readonly triangles: ScanResult;
  readonly params: GPUBuffer;
  readonly values: GPUBuffer;
  readonly cases: GPUBuffer;
  readonly nPoints: number;
  readonly times: Timestamps;
}

/** Room for the mesh, and what fills it. */
interface MarchOutput {
  readonly arena: GpuArena;
  readonly nVertices: number;
  readonly nTriangles: number;
  readonly positions: GPUBuffer;
  readonly indices: GPUBuffer;
  readonly encode: (encoder: GPUCommandEncoder, times: Timestamps) => void;
}

/**
 * Marches a lattice as fast as can be done: after the first run one submission and one answer, in buffers that are there.
 */
class Marcher {
  readonly #tools: MarchTools;
  #lattice: MarchedLattice | undefined;
  #output: MarchOutput | undefined;
  #resolution = 0;

  constructor(tools: MarchTools) {
    this.#tools = tools;
  }

  async run(resolution: number): Promise<GpuMarch> {
    const { context } = this.#tools.field;
    if (resolution !== this.#resolution) this.release();
    this.#resolution = resolution;
    const start = performance.now();
    this.#lattice ??= await guarded(context, 'march', () => this.#createLattice(resolution));
    const lattice = this.#lattice;
    const { times } = lattice;
    times.restart();
    if (!this.#output) {
      await guarded(context, 'march', () => this.#submit([lattice]));
      const found = await this.#readCounts(lattice);
      this.#output = await guarded(context, 'march', () => this.#createOutput(lattice, found));
      await guarded(context, 'march', () => this.#submit([this.#output as MarchOutput]));
    } else {
      await guarded(context, 'march', () => this.#submit([lattice, this.#output as MarchOutput]));
    }
    const output = this.#output;
    const found = await this.#readCounts(lattice);
    if (found.some((n, i) => n !== [output.nVertices, output.nTriangles][i]))
      throw new Error('counts changed');
    const timeMs = performance.now() - start;
    const sources = [
      [output.positions, output.nVertices * 12],
      [output.indices, output.nTriangles * 12],
    ] as const;
    const [positions, indices] = await lattice.arena.readAll(sources, 'march');
    const readMs = performance.now() - start - timeMs;
    const timed = times.source();
    const [ticks] = timed ? await lattice.arena.readAll([timed], 'march') : [];
    return {
      positions: new Float32Array(positions),
      indices: new Uint32Array(indices),
      timeMs,
      readMs,
      gpuTimeMs: ticks ? times.sums(ticks) : {},
      nBytes: lattice.arena.nBytes + output.arena.nBytes,
    };
  }

  /** Frees what is kept for the next run. */
  release(): void {
    this.#lattice?.arena.dispose();
    this.#output?.arena.dispose();
    this.#lattice = undefined;
    this.#output = undefined;
  }

  #submit(parts: readonly Pick<MarchedLattice, 'encode'>[]): void {
    const { device } = this.#tools.field.context;
    const { times } = this.#lattice as MarchedLattice;
    const encoder = device.createCommandEncoder({ label: 'nsdf.march' });
    for (const { encode } of parts) encode(encoder, times);
    times.resolve(encoder);
    device.queue.submit([encoder.finish()]);
  }

  async #readCounts({ arena, counts }: MarchedLattice): Promise<readonly [number, number]> {
    const words = new Uint32Array(await arena.read(counts, COUNTS.byteLength, 'march'));
    return [words[COUNTS.at.vertices], words[COUNTS.at.triangles]];
  }

  #createLattice(resolution: number): MarchedLattice {
    const { field, words, lattice, count, programs } = this.#tools;
    const { context, asset, resources } = field;
    const { min, max } = asset.domain;
    const cell = Math.max(...min.map((low, k) => max[k] - low)) / resolution;
    const cells = min.map((low, k) => Math.max(1, Math.round((max[k] - low) / cell)));
    const nPoints = (cells[0] + 1) * (cells[1] + 1) * (cells[2] + 1);
    const step = min.map((low, k) => (max[k] - low) / cells[k]);
    const arena = new GpuArena(context);
    const own = MARCH.pack({ cells, nPoints, low: min, step });
    const params = arena.upload('march.params', own, USAGE.uniform);
    const frame = FRAME.pack({ ...createFrame(asset), nPoints });
    const frameBuffer = arena.upload('march.frame', frame, USAGE.uniform);
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
    const evaluated = lattice.bind(
      params,
      frameBuffer,
      values,
      resources.weights,
      ...tableBuffers(resources),
    );
    const counted = count.bind(params, values, cases, nVertices, nTriangles);
    const encode = (encoder: GPUCommandEncoder, times: Timestamps): void => {
      encodePass(encoder, times, lattice, evaluated, nPoints);
      encodePass(encoder, times, count, counted, nPoints);
      builder.program.encode(encoder, (label) => times.pass(label));
    };
    const times = createTimestamps(arena, 'march', 8);
    const { counts } = builder;
    return { arena, encode, counts, vertices, triangles, params, values, cases, nPoints, times };
  }

  #createOutput(lattice: MarchedLattice, [nVertices, nTriangles]: readonly [number, number]): MarchOutput {
    const { field, emit } = this.#tools;
    const { params, values, cases, vertices, triangles, nPoints } = lattice;
    const arena = new GpuArena(field.context);
    const usage = USAGE.storage | USAGE.copySource;
    const positions = arena.create('march.positions', nVertices * 12, usage);
    const indices = arena.create('march.indices', nTriangles * 12, usage);
    const scans = [vertices.offsets, vertices.sums, triangles.offsets, triangles.sums];
    const group = emit.bind(params, values, cases, ...scans, positions, indices);
    const encode = (encoder: GPUCommandEncoder, times: Timestamps): void =>
      encodePass(encoder, times, emit, group, nPoints);
    return { arena, nVertices, nTriangles, positions, indices, encode };
  }
}

function encodePass(
  encoder: GPUCommandEncoder,
  times: Timestamps,
  kernel: Kernel,
  group: GPUBindGroup,
  nPoints: number,
): void {
  const pass = encoder.beginComputePass(times.pass(kernel.label));
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...groupsFor(nPoints, GROUP_SIZE));
  pass.end();
}
