import { NsdfUnsupportedError } from '../errors.ts';
import type { CpuField } from '../field/cpu-field.ts';
import type { Box3 } from '../format/asset.ts';
import type { CheckableMesh } from './check-topology.ts';
import { countUnpairedSides, faceMasks } from './finish.ts';
import type { SurfaceMesh } from './mesh.ts';
import { orientation, type PlanePoint, signedArea, triangulateFace } from './triangulate-face.ts';

/**
 * Closes a surface that leaves its bounds by the parts of their faces where f < 0: a watertight solid, its caps facing
 * outward and sharing the vertices of the surface's border. Where all of the bounds are inside, their whole boundary is
 * added. Yields the fraction done.
 *
 * Which parts of the box's edges are inside follows from the border itself (what enters a face has to leave it), and from f
 * only where no border meets any edge: so it always fits. A border that runs along a line and back, as ties on the lattice leave
 * it, is closed by triangles without area.
 * @param bounds what the mesh was cut to, and may be open on.
 * @throws {NsdfUnsupportedError} if the border is none of a solid: it was not closed off the faces, or vertices on an edge of the
 * box are nearer to each other than rounding leaves their order.
 */
export function* capMesh(mesh: SurfaceMesh, field: CpuField, bounds: Box3): Generator<number, SurfaceMesh> {
  const capper = new Capper(mesh, field, bounds);
  yield 0;
  for (let face = 0; face < 6; face++) {
    for (const _ of capper.addFace(face)) yield (face + 0.5) / 6;
  }
  return yield* capper.finish();
}

/** The mesh without the triangles that lie in the faces of its bounds: what is measured against the field. */
export function withoutCaps({ positions, indices }: SurfaceMesh, bounds: Box3): CheckableMesh {
  const faces = faceMasks(Float64Array.from(positions), positions.length / 3, bounds);
  const isCap = (i: number): boolean => {
    const t = i - (i % 3);
    return (faces[indices[t]] & faces[indices[t + 1]] & faces[indices[t + 2]]) !== 0;
  };
  return { positions, indices: indices.filter((_, i) => !isCap(i)) };
}

/** A part of an edge of the box between two neighbouring vertices on it, lower coordinate first. */
interface Segment {
  readonly from: number;
  readonly to: number;
  /** Whether f < 0 there: 0 or 1 once it is known. */
  isInside: number;
}

/** The axes of a face's plane, seen from outside counter-clockwise. */
function planeAxes(face: number): [u: number, v: number] {
  const axis = face >> 1;
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
  return face & 1 ? [u, v] : [v, u];
}

class Capper {
  readonly #mesh: SurfaceMesh;
  readonly #field: CpuField;
  readonly #positions: number[];
  readonly #nMesh: number;
  /** u8[nMesh + 8], the box's corners last. */
  readonly #faces: number[];
  /** Directed sides between vertices of one face, of the mesh and then of the caps. */
  readonly #sides = new Set<number>();
  readonly #low: readonly number[];
  readonly #high: readonly number[];
  /** For each face the side after each vertex that the cap has against the surface's border. */
  readonly #borders: readonly Map<number, number>[] = [0, 1, 2, 3, 4, 5].map(() => new Map());
  /** The vertices around each face, counter-clockwise, and the segments after them. */
  readonly #rings: readonly { nodes: number[]; segments: Segment[] }[];
  readonly #triangles: number[] = [];

  constructor(mesh: SurfaceMesh, field: CpuField, { min, max }: Box3) {
    const n = mesh.positions.length / 3;
    this.#mesh = mesh;
    this.#field = field;
    this.#nMesh = n;
    this.#low = min.map(Math.fround);
    this.#high = max.map(Math.fround);
    this.#positions = Array.from(mesh.positions);
    this.#faces = Array.from(faceMasks(Float64Array.from(mesh.positions), n, { min, max }));
    for (let corner = 0; corner < 8; corner++) {
      const bits = [corner & 1, (corner >> 1) & 1, corner >> 2];
      this.#positions.push(...bits.map((bit, k) => (bit ? this.#high : this.#low)[k]));
      this.#faces.push(bits.reduce((mask, bit, k) => mask | (1 << (2 * k + bit)), 0));
    }
    const onBorder = this.#collectBorders();
    this.#rings = this.#collectRings(onBorder);
    this.#settleSegments();
  }

  #key(a: number, b: number): number {
    return a * 2 ** 26 + b;
  }

  #at(v: number, axis: number): number {
    return this.#positions[v * 3 + axis];
  }

  /** Finds the open sides; gives the vertices on them. */
  #collectBorders(): Set<number> {
    const { indices } = this.#mesh;
    for (let c = 0; c < indices.length; c++) {
      const a = indices[c];
      const b = indices[c % 3 === 2 ? c - 2 : c + 1];
      if ((this.#faces[a] & this.#faces[b]) !== 0) this.#sides.add(this.#key(a, b));
    }
    const onBorder = new Set<number>();
    for (const side of this.#sides) {
      const a = Math.floor(side / 2 ** 26);
      const b = side % 2 ** 26;
      if (this.#sides.has(this.#key(b, a))) continue;
      onBorder.add(a).add(b);
      this.#borders[this.#faceOf(b, a)].set(b, a);
    }
    return onBorder;
  }

  /** The face on whose cap a side lies; of two, the one around which it runs counter-clockwise. */
  #faceOf(a: number, b: number): number {
    const shared = this.#faces[a] & this.#faces[b];
    const faces = [0, 1, 2, 3, 4, 5].filter((face) => ((shared >> face) & 1) === 1);
    if (faces.length === 1) return faces[0];
    return faces.find((face) => this.#runsAround(face, a, b)) ?? faces[0];
  }

  #runsAround(face: number, a: number, b: number): boolean {
    const [u, v] = planeAxes(face);
    const middle = (axis: number): number => (this.#low[axis] + this.#high[axis]) / 2;
    const [du, dv] = [this.#at(b, u) - this.#at(a, u), this.#at(b, v) - this.#at(a, v)];
    return du * (middle(v) - this.#at(a, v)) - dv * (middle(u) - this.#at(a, u)) > 0;
  }

  #collectRings(onBorder: ReadonlySet<number>): { nodes: number[]; segments: Segment[] }[] {
    const edges = new Map<number, Segment[]>();
    // A corner of the box that the border passes is the mesh's own.
    const own = new Map([...onBorder].map((v) => [this.#faces[v], v]));
    const cornerAt = (mask: number): number => own.get(mask) ?? this.#faces.indexOf(mask, this.#nMesh);
    const byEdge = new Map<number, number[]>();
    for (const v of onBorder) byEdge.set(this.#faces[v], [...(byEdge.get(this.#faces[v]) ?? []), v]);
    for (let axis = 0; axis < 3; axis++) {
      const [j, k] = [(axis + 1) % 3, (axis + 2) % 3];
      for (const bits of [0, 1, 2, 3]) {
        const mask = (1 << (2 * j + (bits & 1))) | (1 << (2 * k + (bits >> 1)));
        const between = [...(byEdge.get(mask) ?? [])].sort((a, b) => this.#at(a, axis) - this.#at(b, axis));
        const nodes = [cornerAt(mask | (1 << (2 * axis))), ...between, cornerAt(mask | (2 << (2 * axis)))];
        const segments = nodes.slice(1).map((to, i) => ({ from: nodes[i], to, isInside: -1 }));
        edges.set(mask, segments);
      }
    }
    return [0, 1, 2, 3, 4, 5].map((face) => {
      const [u, v] = planeAxes(face);
      const edgeOf = (axis: number, isHigh: number) =>
        edges.get((1 << face) | (1 << (2 * axis + isHigh))) ?? [];
      const segments = [
        ...edgeOf(v, 0),
        ...edgeOf(u, 1),
        ...[...edgeOf(v, 1)].reverse(),
        ...[...edgeOf(u, 0)].reverse(),
      ];
      const n = [edgeOf(v, 0), edgeOf(u, 1)].reduce((sum, list) => sum + list.length, 0);
      return { segments, nodes: segments.map(({ from, to }, i) => (i < n ? from : to)) };
    });
  }

  /** What goes into a face at a vertex of its outline has to go out: by a border, or along the outline. */
  #settleSegments(): void {
    const all = this.#rings.flatMap(({ segments }) => segments);
    const set = (segment: Segment, isInside: number): number => {
      if (segment.isInside === isInside) return 0;
      if (segment.isInside >= 0 || isInside < 0 || isInside > 1) {
        throw noSolid();
      }
      segment.isInside = isInside;
      return 1;
    };
    const settle = (): number =>
      this.#rings.reduce((sum, ring, face) => sum + this.#settleRing(ring, this.#borders[face], set), 0);
    while (settle() > 0);
    if (all.every(({ isInside }) => isInside >= 0)) return;
    const value = new Float64Array(1);
    this.#field.evaluate(Float64Array.from([...this.#low]), value, 1);
    for (const segment of all) if (segment.isInside < 0) segment.isInside = value[0] < 0 ? 1 : 0;
  }

  #settleRing(
    { nodes, segments }: { nodes: number[]; segments: Segment[] },
    border: ReadonlyMap<number, number>,
    set: (segment: Segment, isInside: number) => number,
  ): number {
    const ends = new Set(border.values());
    let n = 0;
    nodes.forEach((node, i) => {
      const out = segments[i];
      const into = segments[(i + nodes.length - 1) % nodes.length];
      const surplus = (ends.has(node) ? 1 : 0) - (border.has(node) ? 1 : 0);
      if (surplus !== 0) n += set(out, surplus > 0 ? 1 : 0) + set(into, surplus > 0 ? 0 : 1);
      else if (into.isInside >= 0) n += set(out, into.isInside);
      else if (out.isInside >= 0) n += set(into, out.isInside);
    });
    return n;
  }

  /** Adds the cap on one face. Yields after a few vertices. */
  *addFace(face: number): Generator<void, void> {
    const { nodes, segments } = this.#rings[face];
    const outline = new Map<number, number>();
    nodes.forEach((node, i) => {
      if (segments[i].isInside === 1) outline.set(node, nodes[(i + 1) % nodes.length]);
    });
    const loops = this.#traceLoops(face, [this.#borders[face], outline]).filter((loop) => loop.length > 2);
    const sized = loops.map((loop) => ({ loop, area: signedArea(loop) }));
    const outers = sized.filter(({ area }) => area > 0).sort((a, b) => a.area - b.area);
    const holes = new Map(outers.map(({ loop }) => [loop, [] as PlanePoint[][]]));
    for (const { loop, area } of sized) {
      if (area > 0) continue;
      const outer = outers.find((candidate) => candidate.area > -area && contains(candidate.loop, loop[0]));
      // What rounding left outside of everything is closed on its own.
      if (outer) holes.get(outer.loop)?.push(loop);
      else holes.set(loop, []);
    }
    const triangles: number[] = [];
    for (const [outer, inner] of holes) {
      for (const v of yield* triangulateFace(outer, inner)) triangles.push(v);
    }
    this.#addTriangles(triangles);
  }

  /**
   * The loops of a cap's sides: those against the border, and those along the outline of the face, each by the vertex it begins at.
   * Where a border touches the outline both go on from one vertex; each is followed by the other, which leaves one fan of
   * triangles around it.
   */
  #traceLoops(face: number, sides: readonly [Map<number, number>, Map<number, number>]): PlanePoint[][] {
    const [u, v] = planeAxes(face);
    const loops: PlanePoint[][] = [];
    const left = sides.map((next) => new Set(next.keys()));
    for (const first of [0, 1]) {
      for (const start of left[first]) {
        const loop: PlanePoint[] = [];
        let kind = first;
        for (let node = start; left[kind].delete(node); ) {
          loop.push({ id: node, u: this.#at(node, u), v: this.#at(node, v) });
          node = sides[kind].get(node) as number;
          if (sides[1 - kind].has(node)) kind = 1 - kind;
        }
        loops.push(loop);
      }
    }
    return loops;
  }

  /** A side inside of a cap that the mesh has already would have four triangles: it is divided at its middle. */
  #addTriangles(triangles: readonly number[]): void {
    const queue = [...triangles];
    const inner = new Set<number>();
    for (let c = 0; c < triangles.length; c++) {
      inner.add(this.#key(triangles[c], triangles[c % 3 === 2 ? c - 2 : c + 1]));
    }
    const middles = new Map<number, number>();
    const middleOf = (a: number, b: number): number | undefined => {
      const key = this.#key(Math.min(a, b), Math.max(a, b));
      const isTaken = this.#sides.has(this.#key(a, b)) || this.#sides.has(this.#key(b, a));
      if (!isTaken || !inner.has(this.#key(a, b)) || !inner.has(this.#key(b, a))) return undefined;
      const known = middles.get(key);
      if (known !== undefined) return known;
      const middle = this.#positions.length / 3;
      for (let k = 0; k < 3; k++) this.#positions.push(Math.fround((this.#at(a, k) + this.#at(b, k)) / 2));
      this.#faces.push(this.#faces[a] & this.#faces[b]);
      middles.set(key, middle);
      return middle;
    };
    while (queue.length > 0) {
      const [a, b, c] = queue.splice(-3);
      const divided = [
        [a, b, c],
        [b, c, a],
        [c, a, b],
      ].find(([from, to]) => middleOf(from, to) !== undefined);
      if (divided === undefined) {
        this.#triangles.push(a, b, c);
        continue;
      }
      const [from, to, apex] = divided;
      const middle = middleOf(from, to) as number;
      queue.push(from, middle, apex, middle, to, apex);
    }
    for (let c = 0; c < triangles.length; c++) {
      this.#sides.add(this.#key(triangles[c], triangles[c % 3 === 2 ? c - 2 : c + 1]));
    }
  }

  /** @throws {NsdfUnsupportedError} if it is not closed */
  *finish(): Generator<number, SurfaceMesh> {
    const mesh = this.#mesh;
    const triangles = this.#triangles;
    const nMesh = this.#nMesh;
    const numbers = new Map<number, number>();
    const added: number[] = [];
    for (const v of triangles) {
      if (v < nMesh || numbers.has(v)) continue;
      numbers.set(v, nMesh + added.length);
      added.push(v);
    }
    const positions = new Float32Array((nMesh + added.length) * 3);
    const normals = new Float32Array(positions.length);
    positions.set(mesh.positions);
    normals.set(mesh.normals);
    added.forEach((v, i) => {
      // On several faces: halfway between them.
      const out = [0, 1, 2].map(
        (k) => ((this.#faces[v] >> (2 * k + 1)) & 1) - ((this.#faces[v] >> (2 * k)) & 1),
      );
      positions.set(this.#positions.slice(v * 3, v * 3 + 3), (nMesh + i) * 3);
      normals.set(
        out.map((x) => x / Math.hypot(...out)),
        (nMesh + i) * 3,
      );
    });
    const indices = new Uint32Array(mesh.indices.length + triangles.length);
    indices.set(mesh.indices);
    indices.set(
      triangles.map((v) => numbers.get(v) ?? v),
      mesh.indices.length,
    );
    // Nor is one closed where vertices on an edge of the box are nearer to each other than rounding leaves their order.
    if ((yield* countUnpairedSides(indices, new Uint8Array(positions.length / 3))) > 0) throw noSolid();
    return { positions, normals, indices };
  }
}

function noSolid(): NsdfUnsupportedError {
  return new NsdfUnsupportedError(
    'cap',
    'The surface cannot be capped: its border on the faces of the domain is none of a solid. Derive it with another tolerance, or without cap.',
  );
}

/** Whether a point that is none of a loop's own lies inside of it. */
function contains(loop: readonly PlanePoint[], p: PlanePoint): boolean {
  let isInside = false;
  loop.forEach((a, i) => {
    const b = loop[(i + 1) % loop.length];
    if (a.v > p.v === b.v > p.v) return;
    if (orientation(a, b, p) > 0 === b.v > a.v) isInside = !isInside;
  });
  return isInside;
}
