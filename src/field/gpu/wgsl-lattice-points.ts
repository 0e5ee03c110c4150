import { defineStruct } from '../../gpu/struct.ts';
import type { FieldShape } from './shape.ts';
import { type FieldCode, forwardLines, levelLines, tableBindings, weightBinding } from './wgsl-evaluate.ts';
import { tableWgsl } from './wgsl-table.ts';

/** A lattice whose boxes are divided further: a point has `subBits` more bits than its plane's number. */
export const FINE_LATTICE = defineStruct('FineLattice', {
  /** Boxes an axis. */
  nBoxes: 'vec3<u32>',
  subBits: 'u32',
  /** Where each axis begins in the plane table and in the planes' coordinates. */
  firstPlane: 'vec3<u32>',
  /** What is added to f. */
  isoOffset: 'f32',
  /** Points counts[first] to counts[end] are evaluated. */
  first: 'u32',
  end: 'u32',
});

/** vec4 of first-layer pre-activations that are kept for every lattice point; without a hidden layer f stands there. */
export function firstLayerVectors({ widths }: FieldShape): number {
  return widths.length === 0 ? 1 : Math.ceil(widths[0] / 4);
}

/** WGSL: a point of the fine lattice is a key of two words, 21 bits a coordinate. */
export const POINT_KEY_WGSL = `
fn keyOf(point: vec3<u32>) -> vec2<u32> {
  return vec2<u32>(point.x | (point.y << 21u), (point.y >> 11u) | (point.z << 10u));
}
fn pointOf(key: vec2<u32>) -> vec3<u32> {
  return vec3<u32>(key.x & 0x1fffffu, (key.x >> 21u) | ((key.y & 0x3ffu) << 11u), key.y >> 10u);
}
`;

/**
 * WGSL: `localOf(point)`, a fine lattice point in local units; binds nothing itself but reads `fine` and `coordinates`.
 */
export const LOCAL_POINT_WGSL = `
fn localOf(point: vec3<u32>) -> vec3<f32> {
  let plane = point >> vec3<u32>(fine.subBits);
  let s = vec3<f32>(point - (plane << vec3<u32>(fine.subBits))) / f32(1u << fine.subBits);
  let at = fine.firstPlane + plane;
  let next = at + select(vec3<u32>(0u), vec3<u32>(1u), plane < fine.nBoxes);
  let lo = vec3<f32>(coordinates[at.x], coordinates[at.y], coordinates[at.z]);
  let hi = vec3<f32>(coordinates[next.x], coordinates[next.y], coordinates[next.z]);
  return lo + s * (hi - lo);
}
`;

/**
 * The kernel that evaluates the field at points of the fine lattice: for each its local coordinates and f + isoOffset,
 * and the pre-activations of the first layer, from which all else in the boxes around it follows. Where a point lies in
 * each level's cells comes from the plane table, so that no coordinate is rounded and a plane on a cell's border is on
 * the same side of it for every point.
 */
export function latticePointsCode(code: FieldCode): string {
  const { shape, places } = code;
  const nVectors = firstLayerVectors(shape);
  const nPadded = places.layers.length === 0 ? (places.lastBias - places.lastRow) * 4 : shape.nInputs;
  const kept =
    shape.widths.length === 0
      ? ['  firstLayer[item] = vec4<f32>(value + fine.isoOffset, 0.0, 0.0, 0.0);']
      : Array.from({ length: nVectors }, (_, g) => `  firstLayer[item * ${nVectors}u + ${g}u] = z0_${g};`);
  return `${FINE_LATTICE.wgsl}${tableWgsl(shape)}
@group(0) @binding(0) var<uniform> fine: FineLattice;
@group(0) @binding(1) var<storage, read> counts: array<u32>;
@group(0) @binding(2) var<storage, read> planes: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> coordinates: array<f32>;
@group(0) @binding(4) var<storage, read> knownKeys: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> points: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> firstLayer: array<vec4<f32>>;
${weightBinding(code, 7)}${tableBindings(shape, 8)}
${POINT_KEY_WGSL}${LOCAL_POINT_WGSL}${placeWgsl(shape)}
fn evaluateNext(item: u32) { evaluatePoint(counts[fine.first] + item); }

fn evaluatePoint(item: u32) {
  let point = pointOf(knownKeys[item]);
${[...encodeLines(shape, nPadded), ...forwardLines(places)].map((line) => `  ${line}`).join('\n')}
  points[item] = vec4<f32>(localOf(point), value + fine.isoOffset);
${kept.join('\n')}
}
`;
}

/** WGSL: where a fine lattice point lies in a level. */
function placeWgsl({ nLevels }: FieldShape): string {
  const n = Math.max(1, nLevels);
  return `
struct Place {
  cell: vec3<u32>,
  t: vec3<f32>,
}

/// Along one axis: the cell's number and, as bits, the fraction.
fn placeAlong(at: u32, plane: u32, nBoxes: u32, s: f32, level: u32) -> vec2<u32> {
  let here = planes[(at + plane) * ${n}u + level];
  if (plane >= nBoxes) { return here.zw; }
  let there = planes[(at + plane + 1u) * ${n}u + level];
  let begin = bitcast<f32>(here.y);
  if (s == 0.0 || there.z < here.x) { return here.xy; }
  let nCells = f32(there.z - here.x);
  let t = begin + s * (nCells + bitcast<f32>(there.w) - begin);
  let whole = min(floor(t), nCells);
  return vec2<u32>(here.x + u32(whole), bitcast<u32>(t - whole));
}

fn placeIn(point: vec3<u32>, level: u32) -> Place {
  let plane = point >> vec3<u32>(fine.subBits);
  let s = vec3<f32>(point - (plane << vec3<u32>(fine.subBits))) / f32(1u << fine.subBits);
  let x = placeAlong(fine.firstPlane.x, plane.x, fine.nBoxes.x, s.x, level);
  let y = placeAlong(fine.firstPlane.y, plane.y, fine.nBoxes.y, s.y, level);
  let z = placeAlong(fine.firstPlane.z, plane.z, fine.nBoxes.z, s.z, level);
  return Place(vec3<u32>(x.x, y.x, z.x), bitcast<vec3<f32>>(vec3<u32>(x.y, y.y, z.y)));
}
`;
}

function encodeLines(shape: FieldShape, nPadded: number): string[] {
  const lines =
    shape.nLevels === 0
      ? ['let input = placeIn(point, 0u).t;', ...[0, 1, 2].map((k) => `let x${k} = input.${'xyz'[k]};`)]
      : levelLines(shape, (first) => `interpolate(readCell(level, place.cell, ${first}u), place.t)`, [
          'let place = placeIn(point, l);',
        ]);
  for (let i = shape.nInputs; i < nPadded; i++) lines.push(`let x${i} = 0.0;`);
  return lines;
}
