/** A contour through a rectangle: its points in [0, 1]², from boundary to boundary, or closed. */
export interface Contour {
  readonly points: readonly (readonly [number, number])[];
  readonly isClosed: boolean;
}

/**
 * Zero contours of a function on a rectangle by marching squares on n × n cells: the oracle for traced curves.
 * @param f values at the lattice points, row by row, (n + 1)² of them.
 * @param atCentre the function, asked in the middle of cells whose corners alternate.
 */
export function marchFace(f: Float64Array, n: number, atCentre: (x: number, y: number) => number): Contour[] {
  const links = linkCells(f, n, atCentre);
  const contours: Contour[] = [];
  const seen = new Set<number>();
  const starts = [...links.keys()].sort((a, b) => (links.get(a)?.length ?? 0) - (links.get(b)?.length ?? 0));
  for (const start of starts) {
    if (seen.has(start)) continue;
    const points: (readonly [number, number])[] = [];
    let at: number | undefined = start;
    while (at !== undefined && !seen.has(at)) {
      seen.add(at);
      points.push(crossing(f, n, at));
      at = links.get(at)?.find((other) => !seen.has(other));
    }
    contours.push({ points, isClosed: (links.get(start)?.length ?? 0) === 2 });
  }
  return contours;
}

/** Lattice edge 2 * point runs from the point to the right, 2 * point + 1 upwards. */
function linkCells(
  f: Float64Array,
  n: number,
  atCentre: (x: number, y: number) => number,
): Map<number, number[]> {
  const links = new Map<number, number[]>();
  const join = (a: number, b: number): void => {
    links.set(a, [...(links.get(a) ?? []), b]);
    links.set(b, [...(links.get(b) ?? []), a]);
  };
  const at = (i: number, j: number): number => i + j * (n + 1);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const around = [2 * at(i, j), 2 * at(i + 1, j) + 1, 2 * at(i, j + 1), 2 * at(i, j) + 1];
      const signs = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)].map((p) => f[p] >= 0);
      const crossed = around.filter((_, k) => signs[k] !== signs[(k + 1) % 4]);
      if (crossed.length === 2) join(crossed[0], crossed[1]);
      if (crossed.length < 4) continue;
      const isJoinedToFirst = atCentre((i + 0.5) / n, (j + 0.5) / n) >= 0 === signs[0];
      // The first corner is cut off by edges 0 and 3 unless it is joined to the opposite one.
      if (isJoinedToFirst) {
        join(crossed[0], crossed[1]);
        join(crossed[2], crossed[3]);
      } else {
        join(crossed[3], crossed[0]);
        join(crossed[1], crossed[2]);
      }
    }
  }
  return links;
}

function crossing(f: Float64Array, n: number, edge: number): readonly [number, number] {
  const p = edge >> 1;
  const isUp = edge % 2 === 1;
  const q = isUp ? p + n + 1 : p + 1;
  const t = f[p] / (f[p] - f[q]);
  const [i, j] = [p % (n + 1), Math.floor(p / (n + 1))];
  return [(i + (isUp ? 0 : t)) / n, (j + (isUp ? t : 0)) / n];
}
