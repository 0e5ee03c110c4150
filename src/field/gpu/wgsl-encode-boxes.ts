import { GROUP_SIZE } from '../../gpu/kernel.ts';
import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape } from './shape.ts';
import { boxFeaturesWgsl } from './wgsl-box-features.ts';
import { type FieldCode, tableBindings } from './wgsl-evaluate.ts';
import { chunksOf, chunkWidth, component, tableWgsl } from './wgsl-table.ts';

/** Boxes whose inputs are in memory at once: 25 MB for 16 inputs. */
export const BATCH_SIZE = 32768;
/** vec4 an input and box: corner values 0-3, 4-7, and size and radius. */
export const INPUT_VECTORS = 3;

/** A lattice and the blocks on it, as the kernels read them. */
export const LATTICE = defineStruct('LatticeParams', {
  /** Boxes an axis. */
  counts: 'vec3<u32>',
  /** Boxes an axis of a block. */
  size: 'u32',
  /** Where each axis begins in the plane table. */
  firstPlane: 'vec3<u32>',
  isoOffset: 'f32',
  /** The batch's first block. */
  first: 'u32',
  /** There are counts[listed] blocks. */
  listed: 'u32',
});

/** WGSL: a block is two words, the box that it begins at: x | y << 16 and z. */
export const BLOCK_WGSL = `
fn blockAt(word: vec2<u32>) -> vec3<u32> {
  return vec3<u32>(word.x & 0xffffu, word.x >> 16u, word.y);
}
`;

/** WGSL: how many blocks of the list are in the batch. */
export const IN_BATCH_WGSL = `
fn countInBatch() -> u32 {
  return min(${BATCH_SIZE}u, max(lattice.first, min(counts[lattice.listed], arrayLength(&blocks))) - lattice.first);
}
`;

/**
 * The kernel that encloses the network's inputs over boxes, one chunk of features of one box an invocation. It is apart
 * from the network's own kernel because compilers unfold both: together they took 8 s to compile on SwiftShader.
 * `inputs[(input * INPUT_VECTORS + v) * BATCH_SIZE + box]`
 */
export function encodeBoxesCode(code: FieldCode): string {
  const { shape } = code;
  return `${LATTICE.wgsl}${tableWgsl(shape)}
@group(0) @binding(0) var<uniform> lattice: LatticeParams;
@group(0) @binding(1) var<storage, read> planes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> blocks: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> inputs: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> counts: array<u32>;
${tableBindings(shape, 5)}${BLOCK_WGSL}${IN_BATCH_WGSL}${boxFeaturesWgsl(shape)}
@compute @workgroup_size(${GROUP_SIZE})
fn encodeBoxes(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let chunk = group.y;
  let i = group.x * ${GROUP_SIZE}u + local;
  if (i >= countInBatch()) { return; }
  let block = blockAt(blocks[lattice.first + i]);
  let lo = lattice.firstPlane + block;
  let hi = lattice.firstPlane + min(block + lattice.size, lattice.counts);
${shape.nLevels === 0 ? coordinates() : features(shape)}
}
`;
}

/** Workgroups along y: the chunks, or one for the three coordinates. */
export function chunkCount(shape: FieldShape): number {
  return shape.nLevels === 0 ? 1 : shape.nLevels * chunksOf(shape).length;
}

function store(input: string, a: string, b: string, size: string, radius: string): string {
  return `  inputs[(${input}) * ${INPUT_VECTORS * BATCH_SIZE}u + i] = ${a};
  inputs[(${input}) * ${INPUT_VECTORS * BATCH_SIZE}u + ${BATCH_SIZE}u + i] = ${b};
  inputs[(${input}) * ${INPUT_VECTORS * BATCH_SIZE}u + ${2 * BATCH_SIZE}u + i] = vec4<f32>(${size}, ${radius}, 0.0, 0.0);
`;
}

function features(shape: FieldShape): string {
  const width = chunkWidth(shape);
  const perLevel = shape.nFeatures / width;
  const parts = Array.from({ length: width }, (_, k) => {
    const corners = (first: number): string =>
      [0, 1, 2, 3].map((c) => component(`box.t.c${first + c}`, width, k)).join(', ');
    return store(
      `chunk * ${width}u + ${k}u`,
      `vec4<f32>(${corners(0)})`,
      `vec4<f32>(${corners(4)})`,
      component('box.size', width, k),
      component('box.radius', width, k),
    );
  });
  return `  let box = boxFeatures(chunk / ${perLevel}u, (chunk % ${perLevel}u) * ${width}u, lo, hi);
${parts.join('')}`;
}

function coordinates(): string {
  const axes = [0, 1, 2].map((axis) => {
    const corners = (first: number): string =>
      [0, 1, 2, 3]
        .map((c) => (((c + first) >> axis) & 1 ? `v.${'xyz'[axis]}` : `u.${'xyz'[axis]}`))
        .join(', ');
    const size = `max(abs(u.${'xyz'[axis]}), abs(v.${'xyz'[axis]}))`;
    return store(`${axis}u`, `vec4<f32>(${corners(0)})`, `vec4<f32>(${corners(4)})`, size, '0.0');
  });
  return `  let u = bitcast<vec3<f32>>(vec3<u32>(planes[lo.x].y, planes[lo.y].y, planes[lo.z].y));
  let v = bitcast<vec3<f32>>(vec3<u32>(planes[hi.x].y, planes[hi.y].y, planes[hi.z].y));
${axes.join('')}`;
}
