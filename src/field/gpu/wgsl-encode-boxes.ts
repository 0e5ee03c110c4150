import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape } from './shape.ts';
import { chunksOf, chunkWidth, component, tableWgsl, vectorType } from './wgsl-table.ts';

/** vec4 an input: corner values 0-3, 4-7, and size and radius. */
export const INPUT_VECTORS = 3;

/** A lattice and its blocks, as the kernels read them. */
export const LATTICE = defineStruct('LatticeParams', {
  /** Boxes an axis. */
  counts: 'vec3<u32>',
  /** Boxes an axis of a block: of those that a search begins with. */
  size: 'u32',
  /** Where each axis begins in the plane table. */
  firstPlane: 'vec3<u32>',
  isoOffset: 'f32',
  /** Chunks of features, see {@link chunkCount}. No constant, or compilers write the loop out. */
  nChunks: 'u32',
});

/** WGSL: a block is two words, the box that it begins at: x | y << 16 and z. */
export const BLOCK_WGSL = `
fn blockAt(word: vec2<u32>) -> vec3<u32> {
  return vec3<u32>(word.x & 0xffffu, word.x >> 16u, word.y);
}
`;

/**
 * WGSL: `encodeBlock(block, size)` puts an enclosure of the network's inputs over a block of boxes in `inputs`, which is
 * private: `inputs[input * INPUT_VECTORS + v]`. Bound by whoever includes it: `lattice`, `planes`, and the table's buffers.
 */
export function encodeBlockWgsl(shape: FieldShape): string {
  return `${tableWgsl(shape)}${boxFeaturesWgsl(shape)}
var<private> inputs: array<vec4<f32>, ${shape.nInputs * INPUT_VECTORS}>;

fn encodeBlock(block: vec3<u32>, size: u32) {
  let lo = lattice.firstPlane + block;
  let hi = lattice.firstPlane + min(block + size, lattice.counts);
${shape.nLevels === 0 ? coordinates() : features(shape)}
}
`;
}

/** Chunks of features of all levels. */
export function chunkCount(shape: FieldShape): number {
  return shape.nLevels * chunksOf(shape).length;
}

function store(input: string, a: string, b: string, size: string, radius: string): string {
  return `  inputs[(${input}) * ${INPUT_VECTORS}u] = ${a};
  inputs[(${input}) * ${INPUT_VECTORS}u + 1u] = ${b};
  inputs[(${input}) * ${INPUT_VECTORS}u + 2u] = vec4<f32>(${size}, ${radius}, 0.0, 0.0);
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
  return `  for (var chunk = 0u; chunk < lattice.nChunks; chunk++) {
  let box = boxFeatures(chunk / ${perLevel}u, (chunk % ${perLevel}u) * ${width}u, lo, hi);
${parts.join('')}  }`;
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

/** Half a unit in the last place of single precision, a little more than which one operation can lose. */
export const UNIT_ROUNDING = 2 ** -24;

/**
 * What rounding can take from a difference feature - T, in units of UNIT_ROUNDING times the largest feature m: 66 for
 * where T is read (positions round to 6 units of a cell, T changes by at most 2m a cell, along three axes; division), 36
 * for interpolating both, 22 for T's corners, the rest for shifting T to the middle of the differences.
 */
const CLIPPED_ERROR = 200;
/** The same where T is read beyond the box, up to 4.6m, at positions that round to n units of a cell. */
const WIDE_ERROR = 400;
const WIDE_ERROR_A_CELL = 8;

/**
 * WGSL: `boxFeatures`, a level's features over a box of the lattice as T ± radius with T trilinear in the box,
 * given by its corner values; |T| + radius <= size. The plane table says in which cells the box begins and ends
 * (block-bounds.ts).
 *
 * In one cell a feature is trilinear itself. Otherwise T takes its values at the box's corners; the difference is
 * trilinear between grid planes, so it is extreme where they and the box's faces meet. Boxes over more than three cells
 * an axis read whole grid vertices instead, some of them outside: the differences there are no smaller.
 * @see LevelBoxes in level-boxes.ts: the same enclosure
 */
function boxFeaturesWgsl(shape: FieldShape): string {
  if (shape.nLevels === 0) return '';
  return `
struct Span {
  first: vec3<u32>,
  last: vec3<u32>,
  /// Where the box begins in its first cell, and ends in its last one.
  begin: vec3<f32>,
  end: vec3<f32>,
}

fn spanOf(level: u32, lo: vec3<u32>, hi: vec3<u32>) -> Span {
  let ax = planes[lo.x * ${shape.nLevels}u + level];
  let ay = planes[lo.y * ${shape.nLevels}u + level];
  let az = planes[lo.z * ${shape.nLevels}u + level];
  let bx = planes[hi.x * ${shape.nLevels}u + level];
  let by = planes[hi.y * ${shape.nLevels}u + level];
  let bz = planes[hi.z * ${shape.nLevels}u + level];
  let first = vec3<u32>(ax.x, ay.x, az.x);
  return Span(
    first,
    max(first, vec3<u32>(bx.z, by.z, bz.z)),
    bitcast<vec3<f32>>(vec3<u32>(ax.y, ay.y, az.y)),
    bitcast<vec3<f32>>(vec3<u32>(bx.w, by.w, bz.w)),
  );
}
${functionsFor(chunkWidth(shape))}`;
}

function functionsFor(width: number): string {
  const type = vectorType(width);
  const reduce = (op: string, term: (c: number) => string): string => {
    const pairs = [0, 2, 4, 6].map((c) => `${op}(${term(c)}, ${term(c + 1)})`);
    return `${op}(${op}(${pairs[0]}, ${pairs[1]}), ${op}(${pairs[2]}, ${pairs[3]}))`;
  };
  const largest = reduce('max', (c) => `abs(v.c${c})`);
  return `
struct Box {
  t: Corners,
  radius: ${type},
  size: ${type},
}

/// Corner values, on the part between \`lo\` and \`hi\`, of the trilinear function with corner values v.
fn cut(v: Corners, lo: vec3<f32>, hi: vec3<f32>) -> Corners {
  let a0 = v.c0 + (v.c1 - v.c0) * lo.x;
  let a1 = v.c0 + (v.c1 - v.c0) * hi.x;
  let b0 = v.c2 + (v.c3 - v.c2) * lo.x;
  let b1 = v.c2 + (v.c3 - v.c2) * hi.x;
  let c0 = v.c4 + (v.c5 - v.c4) * lo.x;
  let c1 = v.c4 + (v.c5 - v.c4) * hi.x;
  let d0 = v.c6 + (v.c7 - v.c6) * lo.x;
  let d1 = v.c6 + (v.c7 - v.c6) * hi.x;
  let e0 = a0 + (b0 - a0) * lo.y;
  let e1 = a1 + (b1 - a1) * lo.y;
  let e2 = a0 + (b0 - a0) * hi.y;
  let e3 = a1 + (b1 - a1) * hi.y;
  let g0 = c0 + (d0 - c0) * lo.y;
  let g1 = c1 + (d1 - c1) * lo.y;
  let g2 = c0 + (d0 - c0) * hi.y;
  let g3 = c1 + (d1 - c1) * hi.y;
  return Corners(
    e0 + (g0 - e0) * lo.z, e1 + (g1 - e1) * lo.z, e2 + (g2 - e2) * lo.z, e3 + (g3 - e3) * lo.z,
    e0 + (g0 - e0) * hi.z, e1 + (g1 - e1) * hi.z, e2 + (g2 - e2) * hi.z, e3 + (g3 - e3) * hi.z,
  );
}

/// The feature's values at the box's corners; a loop, because compilers unfold what is called eight times.
fn cornersOf(level: Level, first: u32, span: Span) -> Corners {
  var corners = Corners();
  for (var c = 0u; c < 8u; c++) {
    let bits = (vec3<u32>(c) & vec3<u32>(1u, 2u, 4u)) != vec3<u32>(0u);
    let v = readCell(level, select(span.first, span.last, bits), first);
    let t = select(span.begin, span.end, bits);
    let p = v.c0 + (v.c1 - v.c0) * t.x;
    let q = v.c2 + (v.c3 - v.c2) * t.x;
    let r = v.c4 + (v.c5 - v.c4) * t.x;
    let s = v.c6 + (v.c7 - v.c6) * t.x;
    let low = p + (q - p) * t.y;
    let high = r + (s - r) * t.y;
    let value = low + (high - low) * t.z;
${Array.from({ length: 8 }, (_, c) => `    if (c == ${c}u) { corners.c${c} = value; }`).join('\n')}
  }
  return corners;
}

fn boxFeatures(index: u32, first: u32, lo: vec3<u32>, hi: vec3<u32>) -> Box {
  let level = levels[index];
  let span = spanOf(index, lo, hi);
  if (all(span.first == span.last)) {
    let v = readCell(level, span.first, first);
    let size = ${largest};
    return Box(cut(v, span.begin, span.end), ${type}(0.0), size);
  }
  let t = cornersOf(level, first, span);
  let cells = vec3<f32>(span.last - span.first);
  // In a flat box T does not change along that axis: any extent will do but none.
  let extent = max(cells + (span.end - span.begin), vec3<f32>(1e-30));
  var low = ${type}(0.0);
  var high = ${type}(0.0);
  var size = ${type}(0.0);
  var lost = ${CLIPPED_ERROR}.0;
  if (all(span.last - span.first <= vec3<u32>(2u))) {
    for (var z = span.first.z; z <= span.last.z; z++) {
      for (var y = span.first.y; y <= span.last.y; y++) {
        for (var x = span.first.x; x <= span.last.x; x++) {
          let cell = vec3<u32>(x, y, z);
          let p = select(vec3<f32>(0.0), span.begin, cell == span.first);
          let q = select(vec3<f32>(1.0), span.end, cell == span.last);
          let v = readCell(level, cell, first);
          let before = vec3<f32>(cell - span.first) - span.begin;
          let d = cut(v, p, q);
          let e = cut(t, (before + p) / extent, (before + q) / extent);
          size = max(size, ${largest});
          low = min(low, ${reduce('min', (c) => `d.c${c} - e.c${c}`)});
          high = max(high, ${reduce('max', (c) => `d.c${c} - e.c${c}`)});
        }
      }
    }
  } else {
    lost = ${WIDE_ERROR}.0 + ${WIDE_ERROR_A_CELL}.0 * max(cells.x, max(cells.y, cells.z));
    for (var z = span.first.z; z <= span.last.z + 1u; z++) {
      let s = (f32(z - span.first.z) - span.begin.z) / extent.z;
      let a = t.c0 + (t.c4 - t.c0) * s;
      let b = t.c1 + (t.c5 - t.c1) * s;
      let c = t.c2 + (t.c6 - t.c2) * s;
      let d = t.c3 + (t.c7 - t.c3) * s;
      for (var y = span.first.y; y <= span.last.y + 1u; y++) {
        let r = (f32(y - span.first.y) - span.begin.y) / extent.y;
        let e = a + (c - a) * r;
        let g = b + (d - b) * r - e;
        for (var x = span.first.x; x <= span.last.x + 1u; x++) {
          let v = readEntry(level, x, y, z, first);
          let difference = v - (e + g * ((f32(x - span.first.x) - span.begin.x) / extent.x));
          size = max(size, abs(v));
          low = min(low, difference);
          high = max(high, difference);
        }
      }
    }
  }
  let middle = 0.5 * (low + high);
  let radius = 0.5 * (high - low) + (lost * ${UNIT_ROUNDING}) * size;
  return Box(
    Corners(
      t.c0 + middle, t.c1 + middle, t.c2 + middle, t.c3 + middle,
      t.c4 + middle, t.c5 + middle, t.c6 + middle, t.c7 + middle,
    ),
    radius,
    size + abs(middle) + radius,
  );
}
`;
}
