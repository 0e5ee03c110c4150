import { nearestDistances } from './contact-shadow.ts';
import type { Box, Point, Slice, ViewField } from './stage.ts';

/** What the panel asks for. */
export interface SliceRequest {
  readonly axis: 0 | 1 | 2;
  /** Where in the box, in [0, 1]. */
  readonly fraction: number;
  /** The distances on the plane, or what is inside alone. */
  readonly hasDistances: boolean;
}

/** Points an axis at which the fields are asked, and texels an axis of the picture between them. */
const N_POINTS = 160;
const SIZE = 512;
/** The picture reaches that share of the box's diagonal beyond the box, and has that many lines along it. */
const MARGIN = 0.08;
const N_LINES = 36;
const INSIDE = [58, 120, 196];
const OUTSIDE = [236, 165, 104];
const CAP = [222, 150, 104, 255];

/** Cuts a box at a plane and paints what the fields say there: distances with their iso-lines, or the inside alone. */
export function cutFields(
  fields: readonly ViewField[],
  box: Box,
  { axis, fraction, hasDistances }: SliceRequest,
): Slice {
  const at = box.min[axis] + fraction * (box.max[axis] - box.min[axis]);
  const diagonal = Math.hypot(...box.max.map((value, i) => value - box.min[i]));
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
  const point = (a: number, b: number): Point => {
    const out: [number, number, number] = [at, at, at];
    const margin = MARGIN * diagonal;
    out[u] = box.min[u] - margin + a * (box.max[u] - box.min[u] + 2 * margin);
    out[v] = box.min[v] - margin + b * (box.max[v] - box.min[v] + 2 * margin);
    return out;
  };
  const points = new Float64Array(N_POINTS * N_POINTS * 3);
  for (let i = 0; i < N_POINTS * N_POINTS; i++) {
    points.set(point((i % N_POINTS) / (N_POINTS - 1), Math.floor(i / N_POINTS) / (N_POINTS - 1)), i * 3);
  }
  const distances = nearestDistances(fields, points);
  const rgba = new Uint8Array(SIZE * SIZE * 4);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const distance = interpolate(distances, i % SIZE, Math.floor(i / SIZE));
    if (hasDistances) paintDistance(rgba, i * 4, (distance * N_LINES) / diagonal);
    else if (distance < 0) rgba.set(CAP, i * 4);
  }
  return { axis, at, corners: [point(0, 0), point(1, 0), point(1, 1), point(0, 1)], rgba, size: SIZE };
}

/** Bilinear, at the middle of a texel. */
function interpolate(distances: Float32Array, column: number, row: number): number {
  const x = ((column + 0.5) / SIZE) * (N_POINTS - 1);
  const y = ((row + 0.5) / SIZE) * (N_POINTS - 1);
  const i = Math.floor(x);
  const j = Math.floor(y);
  const at = j * N_POINTS + i;
  const along = (k: number): number => distances[k] + (x - i) * (distances[k + 1] - distances[k]);
  return along(at) + (y - j) * (along(at + N_POINTS) - along(at));
}

/** Darker at every whole number, darkest at the surface, paler farther away. */
function paintDistance(rgba: Uint8Array, offset: number, lines: number): void {
  const away = Math.min(1, Math.abs(lines) / 10) * 0.6;
  const toLine = Math.abs(lines - Math.round(lines));
  const ink = Math.abs(lines) < 0.14 ? 0.15 : toLine < 0.07 ? 0.72 : 1;
  const base = lines < 0 ? INSIDE : OUTSIDE;
  for (let c = 0; c < 3; c++) rgba[offset + c] = (base[c] + (245 - base[c]) * away) * ink;
  rgba[offset + 3] = 255;
}
