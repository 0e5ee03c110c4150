/** A field that can be asked for distances in the world, of either engine. */
export interface AskedField {
  sampleWorld(points: ArrayLike<number>): { readonly distances: Float32Array };
}

/** Texels an axis of the contact shadow. */
export const SHADOW_SIZE = 128;
const SIZE = SHADOW_SIZE;
/** The pool of light that the object stands in. */
const POOL_RGB = [168, 180, 200];
const POOL_ALPHA = 0.3;
/** Heights above the ground at which the fields are asked, in radii of the object. */
const HEIGHTS = [0.03, 0.08, 0.18, 0.36];

/**
 * Paints a contact shadow, and the pool of light around it, by asking the fields themselves.
 * @param center of the plane, in the world; its u runs along x, its v against z
 * @param width of the plane
 * @param radius of what stands on it
 * @returns RGBA, SHADOW_SIZE² texels, rows by ascending v
 */
export function paintContactShadow(
  fields: readonly AskedField[],
  center: readonly [x: number, y: number, z: number],
  width: number,
  radius: number,
): Uint8Array<ArrayBuffer> {
  const occlusion = bakeOcclusion(fields, center, width, radius);
  const data = new Uint8Array(SIZE * SIZE * 4);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const u = ((i % SIZE) + 0.5) / SIZE - 0.5;
    const v = (Math.floor(i / SIZE) + 0.5) / SIZE - 0.5;
    // Nothing may end at the plane's border.
    const fade = Math.max(0, 1 - Math.hypot(u, v) * 2);
    const shadow = Math.min(1, occlusion[i] * 1.1) * Math.min(1, fade * 2) * 0.75;
    const light = POOL_ALPHA * fade * fade * (1 - shadow);
    const alpha = shadow + light;
    POOL_RGB.forEach((value, channel) => {
      data[i * 4 + channel] = alpha === 0 ? value : (value * light) / alpha;
    });
    data[i * 4 + 3] = 255 * alpha;
  }
  return data;
}

/** How closed the sky is above each texel: 1 - distance / height, over several heights, the near ones weighing more. */
function bakeOcclusion(
  fields: readonly AskedField[],
  [x, y, z]: readonly [number, number, number],
  width: number,
  radius: number,
): Float32Array {
  const occlusion = new Float32Array(SIZE * SIZE);
  const points = new Float32Array(SIZE * SIZE * 3);
  HEIGHTS.forEach((height, step) => {
    for (let i = 0; i < SIZE * SIZE; i++) {
      points[i * 3] = x + (((i % SIZE) + 0.5) / SIZE - 0.5) * width;
      points[i * 3 + 1] = y + height * radius;
      points[i * 3 + 2] = z - ((Math.floor(i / SIZE) + 0.5) / SIZE - 0.5) * width;
    }
    const distances = nearestDistances(fields, points);
    const weight = 0.55 ** (step + 1);
    for (let i = 0; i < SIZE * SIZE; i++) {
      occlusion[i] += weight * Math.min(1, Math.max(0, 1 - distances[i] / (height * radius)));
    }
  });
  return occlusion;
}

/** The distance of each point to the nearest of some fields. */
export function nearestDistances(
  fields: readonly AskedField[],
  pointsWorld: ArrayLike<number>,
): Float32Array {
  const nearest = new Float32Array(pointsWorld.length / 3).fill(Number.POSITIVE_INFINITY);
  for (const field of fields) {
    const { distances } = field.sampleWorld(pointsWorld);
    for (let i = 0; i < nearest.length; i++) nearest[i] = Math.min(nearest[i], distances[i]);
  }
  return nearest;
}
