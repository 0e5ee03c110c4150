import { BOX, TRIANGLE, type Triangles, TriangleTree } from '../surface/triangle-tree.ts';

/** f64 a node: centre of area, radius around it, sum of area vectors, area. */
const DIPOLE = 8;
/** Nodes farther than this many of their radii are taken for one dipole: the value of the paper, errors near 1e-2. */
const BETA = 2;
/** Triangles nearer to one another than this share of a step lie at one place: what single precision makes of equal coordinates. */
const FLUSH = 1e-2;
/** The cosine between normals from which on triangles face the same way. */
const FACING = 0.5;
/** By how much of its sides a triangle is larger, so that no line runs between two of them. */
const EDGE = 1e-9;

/**
 * A tree over triangles for generalised winding numbers, too.
 *
 * @see Barill, Dickson, Schmidt, Levin, Jacobson 2018, "Fast Winding Numbers for Soups and Clouds": the first-order
 * (dipole) expansion.
 */
export class WindingTree extends TriangleTree {
  private readonly dipoles: Float64Array;

  constructor(triangles: Triangles) {
    super(triangles);
    this.dipoles = new Float64Array(this.nNodes * DIPOLE);
    for (let node = this.nNodes - 1; node >= 0; node--) this.addDipole(node);
  }

  /**
   * The generalised winding number at a point: 1 inside of closed, outward surfaces, 0 outside, between where they are
   * open. Near triangles by their solid angles, far ones as dipoles.
   */
  windingNumber(x: number, y: number, z: number): number {
    if (this.nTriangles === 0) return 0;
    const { stack, counts, links, dipoles } = this;
    let sum = 0;
    let top = 0;
    stack[0] = 0;
    while (top >= 0) {
      const node = stack[top--];
      const o = node * DIPOLE;
      const dx = dipoles[o] - x;
      const dy = dipoles[o + 1] - y;
      const dz = dipoles[o + 2] - z;
      const d2 = dx * dx + dy * dy + dz * dz;
      const reach = BETA * dipoles[o + 3];
      if (d2 > reach * reach) {
        sum += (dx * dipoles[o + 4] + dy * dipoles[o + 5] + dz * dipoles[o + 6]) / (d2 * Math.sqrt(d2));
      } else if (counts[node] === 0) {
        stack[++top] = links[node];
        stack[++top] = node + 1;
      } else {
        const first = ~links[node];
        for (let i = first; i < first + counts[node]; i++) sum += this.solidAngle(i * TRIANGLE, x, y, z);
      }
    }
    return sum / (4 * Math.PI);
  }

  /**
   * Whether another triangle that faces the same way lies on one at a point: up to `step` in front of it, or at the same place and
   * before it in the mesh. Of triangles that lie flush one is not covered, whatever their sides are.
   * @param normal of unit length.
   * @param own the number of the triangle.
   */
  isCovered(point: ArrayLike<number>, normal: ArrayLike<number>, step: number, own: number): boolean {
    const { stack, counts, links, boxes, order } = this;
    const tie = FLUSH * step;
    const low = [0, 1, 2].map((k) => point[k] + Math.min(0, step * normal[k]) - tie);
    const high = [0, 1, 2].map((k) => point[k] + Math.max(0, step * normal[k]) + tie);
    const meets = (o: number): boolean =>
      [0, 1, 2].every((k) => boxes[o + k] <= high[k] && boxes[o + 3 + k] >= low[k]);
    let top = this.nTriangles === 0 ? -1 : 0;
    stack[0] = 0;
    while (top >= 0) {
      const node = stack[top--];
      if (!meets(node * BOX)) continue;
      if (counts[node] === 0) {
        stack[++top] = links[node];
        stack[++top] = node + 1;
        continue;
      }
      const first = ~links[node];
      for (let i = first; i < first + counts[node]; i++) {
        if (order[i] === own) continue;
        const height = this.heightAbove(i * TRIANGLE, point, normal);
        if (height > tie ? height <= step : height >= -tie && order[i] < own) return true;
      }
    }
    return false;
  }

  /** How far along a normal a triangle lies that faces that way; NaN where the line misses it, or it faces another way. */
  private heightAbove(o: number, point: ArrayLike<number>, normal: ArrayLike<number>): number {
    const t = this.triangles;
    const [ux, uy, uz, vx, vy, vz] = t.subarray(o + 3, o + 9);
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    const area2 = nx * nx + ny * ny + nz * nz;
    const along = nx * normal[0] + ny * normal[1] + nz * normal[2];
    if (!(along > FACING * Math.sqrt(area2))) return Number.NaN;
    const [px, py, pz] = [t[o] - point[0], t[o + 1] - point[1], t[o + 2] - point[2]];
    const height = (nx * px + ny * py + nz * pz) / along;
    const [dx, dy, dz] = [height * normal[0] - px, height * normal[1] - py, height * normal[2] - pz];
    const s = ((dy * vz - dz * vy) * nx + (dz * vx - dx * vz) * ny + (dx * vy - dy * vx) * nz) / area2;
    const r = ((uy * dz - uz * dy) * nx + (uz * dx - ux * dz) * ny + (ux * dy - uy * dx) * nz) / area2;
    return s >= -EDGE && r >= -EDGE && s + r <= 1 + EDGE ? height : Number.NaN;
  }

  /** @see Van Oosterom, Strackee 1983. */
  private solidAngle(o: number, x: number, y: number, z: number): number {
    const t = this.triangles;
    const ax = t[o] - x;
    const ay = t[o + 1] - y;
    const az = t[o + 2] - z;
    const bx = ax + t[o + 3];
    const by = ay + t[o + 4];
    const bz = az + t[o + 5];
    const cx = ax + t[o + 6];
    const cy = ay + t[o + 7];
    const cz = az + t[o + 8];
    const a = Math.sqrt(ax * ax + ay * ay + az * az);
    const b = Math.sqrt(bx * bx + by * by + bz * bz);
    const c = Math.sqrt(cx * cx + cy * cy + cz * cz);
    const det = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
    const rest =
      a * b * c +
      (ax * bx + ay * by + az * bz) * c +
      (bx * cx + by * cy + bz * cz) * a +
      (cx * ax + cy * ay + cz * az) * b;
    return 2 * Math.atan2(det, rest);
  }

  /** Dipole of a node; its children's are there. */
  private addDipole(node: number): void {
    const { boxes, dipoles } = this;
    const k = node * BOX;
    const o = node * DIPOLE;
    if (this.counts[node] === 0) this.addUpChildren(o, [node + 1, this.links[node]]);
    else this.addUpTriangles(o, ~this.links[node], this.counts[node]);
    const area = dipoles[o + 7];
    let radius2 = 0;
    for (let axis = 0; axis < 3; axis++) {
      const [low, high] = [boxes[k + axis], boxes[k + 3 + axis]];
      dipoles[o + axis] = area > 0 ? dipoles[o + axis] / area : 0.5 * (low + high);
      radius2 += Math.max(high - dipoles[o + axis], dipoles[o + axis] - low) ** 2;
    }
    dipoles[o + 3] = Math.sqrt(radius2);
  }

  private addUpChildren(o: number, children: readonly number[]): void {
    const { dipoles } = this;
    for (const child of children) {
      const from = child * DIPOLE;
      const area = dipoles[from + 7];
      for (let axis = 0; axis < 3; axis++) {
        dipoles[o + axis] += area * dipoles[from + axis];
        dipoles[o + 4 + axis] += dipoles[from + 4 + axis];
      }
      dipoles[o + 7] += area;
    }
  }

  private addUpTriangles(o: number, first: number, count: number): void {
    const { dipoles, triangles } = this;
    const vector = [0, 0, 0];
    for (let t = first * TRIANGLE; t < (first + count) * TRIANGLE; t += TRIANGLE) {
      for (let axis = 0; axis < 3; axis++) {
        const [p, q] = [(axis + 1) % 3, (axis + 2) % 3];
        vector[axis] =
          0.5 * (triangles[t + 3 + p] * triangles[t + 6 + q] - triangles[t + 3 + q] * triangles[t + 6 + p]);
      }
      const area = Math.hypot(vector[0], vector[1], vector[2]);
      for (let axis = 0; axis < 3; axis++) {
        const a = triangles[t + axis];
        const b = a + triangles[t + 3 + axis];
        const c = a + triangles[t + 6 + axis];
        dipoles[o + axis] += (area * (a + b + c)) / 3;
        dipoles[o + 4 + axis] += vector[axis];
      }
      dipoles[o + 7] += area;
    }
  }
}
