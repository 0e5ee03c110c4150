/**
 * Marching cubes' table, derived instead of typed in. Corner c of a cell has bit 0, 1, 2 set where it lies on the far
 * side along x, y, z; edge 4 * axis + j joins two corners along that axis, j counting the four in corner order.
 * A case number has bit c set where corner c is inside.
 */
export interface MarchingCubesTable {
  /** u16[257]; case i's triangles are triangleEdges[3 * first[i] ... 3 * first[i + 1]]. */
  readonly first: Uint16Array;
  /** u8[nTriangles * 3], edges; counter-clockwise seen from outside. */
  readonly triangleEdges: Uint8Array;
  /** u8[12], the near corner of each edge. */
  readonly edgeCorner: Uint8Array;
}

/** Corners of the six faces, counter-clockwise seen from outside the cell. */
const FACES = [
  [0, 4, 6, 2],
  [1, 3, 7, 5],
  [0, 1, 5, 4],
  [2, 6, 7, 3],
  [0, 2, 3, 1],
  [4, 5, 7, 6],
] as const;

export function buildTable(): MarchingCubesTable {
  const first = new Uint16Array(257);
  const all: number[] = [];
  for (let signs = 0; signs < 256; signs++) {
    for (const loop of loopsOf(signs)) all.push(...(triangulate(loop) ?? []));
    first[signs + 1] = all.length / 3;
  }
  const edgeCorner = new Uint8Array(12);
  for (let corner = 7; corner >= 0; corner--) {
    for (let axis = 0; axis < 3; axis++) {
      if ((corner & (1 << axis)) === 0) edgeCorner[edgeBetween(corner, corner | (1 << axis))] = corner;
    }
  }
  return { first, triangleEdges: Uint8Array.from(all), edgeCorner };
}

function edgeBetween(a: number, b: number): number {
  const axis = Math.log2(a ^ b);
  const near = Math.min(a, b);
  const others = axis === 0 ? near >> 1 : axis === 1 ? (near & 1) | ((near >> 1) & 2) : near & 3;
  return axis * 4 + others;
}

/**
 * Closed loops of crossed edges. On a face, walked around, the surface runs from where the walk goes in to where it next
 * comes out: this cuts inside corners off one by one on an ambiguous face, a rule that needs only the face's own signs,
 * so that the two cells beside it agree.
 */
function loopsOf(signs: number): number[][] {
  const isInside = (corner: number) => (signs >> corner) & 1;
  const next = new Map<number, number>();
  for (const face of FACES) {
    for (let i = 0; i < 4; i++) {
      if (isInside(face[i]) || !isInside(face[(i + 1) % 4])) continue;
      let j = i + 1;
      while (isInside(face[(j + 1) % 4])) j++;
      next.set(edgeBetween(face[i], face[(i + 1) % 4]), edgeBetween(face[j % 4], face[(j + 1) % 4]));
    }
  }
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    let edge = next.keys().next().value as number;
    while (next.has(edge)) {
      loop.push(edge);
      const following = next.get(edge) as number;
      next.delete(edge);
      edge = following;
    }
    loops.push(loop);
  }
  return loops;
}

/** True where a face of the cell holds both edges: a diagonal there could meet one of the neighbour's. */
function shareFace(a: number, b: number): boolean {
  return FACES.some((face) => {
    const edges = face.map((corner, i) => edgeBetween(corner, face[(i + 1) % 4]));
    return edges.includes(a) && edges.includes(b);
  });
}

/** Ears are cut wherever their diagonal stays off the faces; null where no order of cuts does. */
function triangulate(loop: readonly number[]): number[] | null {
  if (loop.length === 3) return [...loop];
  for (let i = 0; i < loop.length; i++) {
    const before = loop[(i + loop.length - 1) % loop.length];
    const after = loop[(i + 1) % loop.length];
    if (shareFace(before, after)) continue;
    const rest = triangulate(loop.filter((_, k) => k !== i));
    if (rest !== null) return [before, loop[i], after, ...rest];
  }
  return null;
}
