/** A vertex of a polygon: its number, and its place in single precision. */
export interface PlanePoint {
  readonly id: number;
  readonly u: number;
  readonly v: number;
}

/** A corner of what is left of a polygon; bridges to holes pass a vertex twice. */
interface Corner {
  readonly point: PlanePoint;
  before: Corner;
  after: Corner;
  isGone: boolean;
}

const CORNERS_PER_YIELD = 64;
/** Errors of three products and their sum, relative to the sum of their sizes (Shewchuk 1997). */
const ORIENT_ERROR = 4e-16;

/** Twice the area's sign of triangle abc: 1 counter-clockwise, -1 clockwise, 0 where the points lie on a line. Exact for single precision. */
export function orientation(a: PlanePoint, b: PlanePoint, c: PlanePoint): number {
  const left = (b.u - a.u) * (c.v - a.v);
  const right = (b.v - a.v) * (c.u - a.u);
  const det = left - right;
  if (Math.abs(det) > ORIENT_ERROR * (Math.abs(left) + Math.abs(right))) return Math.sign(det);
  const [au, av, bu, bv, cu, cv] = [a.u, a.v, b.u, b.v, c.u, c.v].map((x) => BigInt(x * 2 ** 149));
  const exact = (bu - au) * (cv - av) - (bv - av) * (cu - au);
  return exact > 0n ? 1 : exact < 0n ? -1 : 0;
}

export function signedArea(loop: readonly PlanePoint[]): number {
  const [o] = loop;
  let sum = 0;
  for (let i = 1; i + 1 < loop.length; i++) {
    const [a, b] = [loop[i], loop[i + 1]];
    sum += (a.u - o.u) * (b.v - o.v) - (a.v - o.v) * (b.u - o.u);
  }
  return sum / 2;
}

/**
 * Triangulates a polygon with holes by clipping ears: every vertex of its loops is kept, those on straight sides too, none
 * is added and no triangle is without area. Loops that cross (which no face of a solid has) still come out closed along all
 * their sides. Yields after a few vertices.
 * @param outer counter-clockwise. @param holes clockwise.
 * @returns ids, three a triangle, counter-clockwise.
 */
export function* triangulateFace(
  outer: readonly PlanePoint[],
  holes: readonly (readonly PlanePoint[])[],
): Generator<void, number[]> {
  const rightmost = (loop: readonly PlanePoint[]): number =>
    loop.reduce((best, { u }, i) => (u > loop[best].u ? i : best), 0);
  const sides = [outer, ...holes].flatMap((loop) =>
    loop.map((a, i): readonly [PlanePoint, PlanePoint] => [a, loop[(i + 1) % loop.length]]),
  );
  let ring = [...outer];
  const order = holes.map((hole) => ({ hole, at: rightmost(hole) }));
  order.sort((a, b) => b.hole[b.at].u - a.hole[a.at].u);
  for (const { hole, at } of order) {
    const bridge = findBridge(ring, hole[at], sides);
    sides.push([ring[bridge], hole[at]]);
    const turned = [...hole.slice(at), ...hole.slice(0, at)];
    ring = [...ring.slice(0, bridge + 1), ...turned, hole[at], ...ring.slice(bridge)];
    yield;
  }
  return yield* clipEars(ring);
}

/** The nearest corner of a ring from which a hole's vertex is seen. */
function findBridge(
  ring: readonly PlanePoint[],
  m: PlanePoint,
  sides: readonly (readonly [PlanePoint, PlanePoint])[],
): number {
  const distance2 = (i: number): number => (ring[i].u - m.u) ** 2 + (ring[i].v - m.v) ** 2;
  const near = [...ring.keys()].sort((i, j) => distance2(i) - distance2(j));
  const seen = near.find((i) => {
    const p = ring[i];
    const before = ring[(i + ring.length - 1) % ring.length];
    const after = ring[(i + 1) % ring.length];
    return isInCone(before, p, after, m) && !sides.some(([a, b]) => blocks(a, b, p, m));
  });
  return seen ?? near[0];
}

/** Whether the way from p to m begins inside of the corner. */
function isInCone(before: PlanePoint, p: PlanePoint, after: PlanePoint, m: PlanePoint): boolean {
  const isLeft = orientation(before, p, m) > 0;
  const isRight = orientation(p, after, m) > 0;
  return orientation(before, p, after) > 0 ? isLeft && isRight : isLeft || isRight;
}

/** Whether a side meets the way from p to m anywhere but at its ends. */
function blocks(a: PlanePoint, b: PlanePoint, p: PlanePoint, m: PlanePoint): boolean {
  const isOn = (q: PlanePoint): boolean =>
    q.id !== p.id && q.id !== m.id && orientation(p, m, q) === 0 && isBetween(p, m, q);
  if (isOn(a) || isOn(b)) return true;
  if ([a.id, b.id].some((id) => id === p.id || id === m.id)) return false;
  return orientation(p, m, a) * orientation(p, m, b) < 0 && orientation(a, b, p) * orientation(a, b, m) < 0;
}

function isBetween(p: PlanePoint, m: PlanePoint, q: PlanePoint): boolean {
  return (q.u - p.u) * (q.u - m.u) <= 0 && (q.v - p.v) * (q.v - m.v) <= 0;
}

function* clipEars(ring: readonly PlanePoint[]): Generator<void, number[]> {
  const corners = ring.map((point) => ({ point, isGone: false }) as Corner);
  corners.forEach((corner, i) => {
    corner.before = corners[(i + ring.length - 1) % ring.length];
    corner.after = corners[(i + 1) % ring.length];
  });
  const strips = new Strips(corners);
  const triangles: number[] = [];
  let corner = corners[0];
  let nLeft = corners.length;
  // Where loops cross there may be no ear: then what turns left goes, then anything.
  for (let strictness = 2, nTried = 0, n = 0; nLeft > 3; ) {
    if (++n % CORNERS_PER_YIELD === 0) yield;
    const { before, after } = corner;
    const isConvex = orientation(before.point, corner.point, after.point) > 0;
    if (strictness === 0 || (isConvex && (strictness === 1 || strips.isFree(corner)))) {
      triangles.push(before.point.id, corner.point.id, after.point.id);
      before.after = after;
      after.before = before;
      corner.isGone = true;
      nLeft--;
      nTried = 0;
      strictness = 2;
      corner = after.after;
      continue;
    }
    corner = after;
    if (++nTried <= nLeft) continue;
    nTried = 0;
    strictness--;
  }
  triangles.push(corner.before.point.id, corner.point.id, corner.after.point.id);
  return triangles;
}

/** Corners by their place along u, to find those in a triangle. */
class Strips {
  readonly #strips: Corner[][];
  readonly #low: number;
  readonly #width: number;

  constructor(corners: readonly Corner[]) {
    const n = Math.ceil(Math.sqrt(corners.length));
    this.#low = corners.reduce((least, { point }) => Math.min(least, point.u), Number.POSITIVE_INFINITY);
    const high = corners.reduce((most, { point }) => Math.max(most, point.u), Number.NEGATIVE_INFINITY);
    this.#width = (high - this.#low) / n || 1;
    this.#strips = Array.from({ length: n + 1 }, () => []);
    for (const corner of corners) this.#strips[this.#stripOf(corner.point.u)].push(corner);
  }

  #stripOf(u: number): number {
    return Math.floor((u - this.#low) / this.#width);
  }

  /** Whether no other vertex lies in the corner's triangle or on its sides. */
  isFree({ before: { point: a }, point: b, after: { point: c } }: Corner): boolean {
    const last = this.#stripOf(Math.max(a.u, b.u, c.u));
    for (let s = this.#stripOf(Math.min(a.u, b.u, c.u)); s <= last; s++) {
      for (const { point: p, isGone } of this.#strips[s]) {
        if (isGone || p.id === a.id || p.id === b.id || p.id === c.id) continue;
        if (orientation(a, b, p) >= 0 && orientation(b, c, p) >= 0 && orientation(c, a, p) >= 0) return false;
      }
    }
    return true;
  }
}
