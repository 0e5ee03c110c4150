import { HALF_SCALE, LEVEL } from './resources.ts';
import type { FieldShape } from './shape.ts';

/** Features read together, as one vector: a chunk. F is a multiple of it; of half floats it is an even number. */
export function chunkWidth({ nFeatures, isHalf }: FieldShape): number {
  const widths = isHalf ? [4, 2] : [4, 3, 2];
  return widths.find((width) => nFeatures % width === 0) ?? 1;
}

/** The first feature of each of a level's chunks. */
export function chunksOf(shape: FieldShape): number[] {
  const width = chunkWidth(shape);
  return Array.from({ length: shape.nFeatures / width }, (_, c) => c * width);
}

/** A vector type of WGSL with `width` components. */
export function vectorType(width: number): string {
  return width === 1 ? 'f32' : `vec${width}<f32>`;
}

/** Component k of an expression of that type. */
export function component(expression: string, width: number, k: number): string {
  return width === 1 ? expression : `${expression}.${'xyzw'[k]}`;
}

/**
 * WGSL: the grid's index rule and reading of entries. The bindings `levels` and `table` stand elsewhere.
 * @see entryIndex in hash-grid.ts: the same rule
 */
export function tableWgsl(shape: FieldShape): string {
  if (shape.nLevels === 0) return '';
  return `${LEVEL.wgsl}
fn entryIndex(level: Level, x: u32, y: u32, z: u32) -> u32 {
  var index = 0u;
  if (level.isDense != 0u) {
    index = x + y * level.resolution + z * (level.resolution * level.resolution);
  } else {
    index = x ^ (y * 2654435761u) ^ (z * 805459861u);
  }
  if (level.mask != 0u) { index &= level.mask; }
  else if (index >= level.nEntries) { index %= level.nEntries; }
  return level.firstEntry + index;
}

/// Entries of (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1).
fn cellEntries(level: Level, x: u32, y: u32, z: u32) -> vec4<u32> {
  let xs = vec4<u32>(x, x + 1u, x, x + 1u);
  let ys = vec4<u32>(y, y, y + 1u, y + 1u);
  var index = vec4<u32>(0u);
  if (level.isDense != 0u) {
    index = xs + ys * level.resolution + z * (level.resolution * level.resolution);
  } else {
    index = xs ^ (ys * 2654435761u) ^ vec4<u32>(z * 805459861u);
  }
  if (level.mask != 0u) { index &= vec4<u32>(level.mask); }
  else if (any(index >= vec4<u32>(level.nEntries))) { index %= vec4<u32>(level.nEntries); }
  return index + level.firstEntry;
}
${readers(shape, chunkWidth(shape))}`;
}

/** An even number of half floats from an even place on. */
function halves(at: string, width: number): string {
  const pairs = Array.from({ length: width / 2 }, (_, k) => `unpack2x16float(table[(${at} >> 1u) + ${k}u])`);
  const value = width === 2 ? pairs[0] : `${vectorType(width)}(${pairs.join(', ')})`;
  return `${value} * ${1 / HALF_SCALE}`;
}

function readers({ nFeatures, isHalf }: FieldShape, width: number): string {
  const type = vectorType(width);
  const value = (at: string): string => {
    if (isHalf) return halves(at, width);
    const parts = Array.from({ length: width }, (_, k) => `table[${at} + ${k}u]`).join(', ');
    return width === 1 ? parts : `${type}(${parts})`;
  };
  return `
fn readEntry(level: Level, x: u32, y: u32, z: u32, first: u32) -> ${type} {
  let at = entryIndex(level, x, y, z) * ${nFeatures}u + first;
  return ${value('at')};
}

struct Corners {
${Array.from({ length: 8 }, (_, c) => `  c${c}: ${type},`).join('\n')}
}

/// The trilinear function with corner values v at t.
fn interpolate(v: Corners, t: vec3<f32>) -> ${type} {
  let a = v.c0 + (v.c1 - v.c0) * t.x;
  let b = v.c2 + (v.c3 - v.c2) * t.x;
  let c = v.c4 + (v.c5 - v.c4) * t.x;
  let d = v.c6 + (v.c7 - v.c6) * t.x;
  let e = a + (b - a) * t.y;
  let g = c + (d - c) * t.y;
  return e + (g - e) * t.z;
}

/// Values at a cell's corners; bit k of a corner's number is its side along axis k.
fn readCell(level: Level, cell: vec3<u32>, first: u32) -> Corners {
  let below = cellEntries(level, cell.x, cell.y, cell.z) * ${nFeatures}u + first;
  let above = cellEntries(level, cell.x, cell.y, cell.z + 1u) * ${nFeatures}u + first;
  return Corners(
${Array.from({ length: 8 }, (_, c) => `    ${value(`${c < 4 ? 'below' : 'above'}.${'xyzw'[c & 3]}`)},`).join('\n')}
  );
}
`;
}
