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

/** Texels an axis of the picture. */
const SIZE = 192;
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
  const points = new Float64Array(SIZE * SIZE * 3);
  for (let i = 0; i < SIZE * SIZE; i++) {
    points.set(point(((i % SIZE) + 0.5) / SIZE, (Math.floor(i / SIZE) + 0.5) / SIZE), i * 3);
  }
  const distances = nearestDistances(fields, points);
  const rgba = new Uint8Array(SIZE * SIZE * 4);
  distances.forEach((distance, i) => {
    rgba.set(hasDistances ? distanceColor((distance * N_LINES) / diagonal) : capColor(distance), i * 4);
  });
  return { axis, at, corners: [point(0, 0), point(1, 0), point(1, 1), point(0, 1)], rgba, size: SIZE };
}

/** Darker at every whole number, darkest at the surface, paler farther away. */
function distanceColor(lines: number): readonly number[] {
  const away = Math.min(1, Math.abs(lines) / 10);
  const toLine = Math.abs(lines - Math.round(lines));
  const ink = Math.abs(lines) < 0.14 ? 0.15 : toLine < 0.09 ? 0.72 : 1;
  const base = lines < 0 ? INSIDE : OUTSIDE;
  return [...base.map((value) => (value + (245 - value) * away * 0.6) * ink), 255];
}

function capColor(distance: number): readonly number[] {
  return distance < 0 ? CAP : [0, 0, 0, 0];
}
