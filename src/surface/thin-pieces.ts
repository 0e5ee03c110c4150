import type { CpuField } from '../field/cpu-field.ts';
import { Decimator, ROUNDS_OF_PIECE } from './decimate.ts';
import { MeshEditor } from './mesh-editor.ts';
import { type MeshSteps, mapSteps, runParts, type ThinnedPiece, type ThinTask } from './mesh-tasks.ts';
import { PartVolumes, type VolumeLimits } from './part-volumes.ts';
import type { VertexData } from './repair.ts';

/** Vertices of a piece, about: in smaller ones too many would be beside others'. And pieces at most. */
const VERTICES_PER_PIECE = 2048;
const MAX_PIECES = 32;
/** Share of the work that pieces are, for progress only. */
const PIECES_SHARE = 0.85;

/** Removes what may go of a piece. Yields the fraction done. */
export function* thinPiece(field: CpuField, task: ThinTask): Generator<number, ThinnedPiece, void> {
  const { positions, normals, slopes, tolerances, faces, mayGo } = task;
  // Not the task's own, which somebody else may have to do again.
  const indices = task.indices.slice();
  const editor = new MeshEditor(positions, faces.length, indices, indices.length / 3, faces);
  const volumes = new PartVolumes(editor, task.volumes);
  const decimator = new Decimator(editor, field, normals, slopes, tolerances, { volumes, mayGo });
  yield* decimator.run(ROUNDS_OF_PIECE);
  return { collapses: Int32Array.from(decimator.collapses), known: decimator.known };
}

/**
 * Thins a mesh: first, where it is large, pieces of it by themselves, then what is beside two of them. Vertices go of a piece only
 * that have no neighbour in another one. What they are moved onto may have some; but no triangle around those is another piece's
 * to change, so pieces need nothing of each other.
 * @param at by vertex: unit normals and |∇f|.
 * @param tolerances f64[nVertices or more], at each vertex, local units.
 */
export function* thinMesh(
  editor: MeshEditor,
  field: CpuField,
  at: VertexData,
  tolerances: Float64Array,
): MeshSteps<void> {
  const decimator = new Decimator(editor, field, at.normals, at.slopes, tolerances);
  const pieces = cutAcross(editor);
  const share = pieces.length > 0 ? PIECES_SHARE : 0;
  if (pieces.length > 0) {
    const volumes = divideVolumes(decimator.volumes.limits, pieces);
    const tasks: ThinTask[] = [];
    for (const [i, piece] of pieces.entries()) {
      tasks.push(taskOf(piece, editor, at, tolerances, volumes[i]));
      yield 0;
    }
    const thinned = yield* runParts(tasks, (fraction) => share * fraction);
    for (const [i, { vertices, mayGo }] of pieces.entries()) {
      const { collapses, known } = thinned[i];
      for (let k = 0; k < collapses.length; k += 2)
        decimator.collapse(vertices[collapses[k]], vertices[collapses[k + 1]]);
      for (let k = 0; k < vertices.length; k++) if (mayGo[k] === 1) decimator.known[vertices[k]] = known[k];
      yield share;
    }
  }
  yield* mapSteps(decimator.run(), (fraction) => share + (1 - share) * fraction);
}

/** A piece of a mesh: the vertices of a slab, and all triangles around them. */
interface Piece {
  /** The mesh's numbers of its vertices: those of the slab ascending, then the others. */
  readonly vertices: Int32Array;
  readonly nOwn: number;
  /** i32[n * 3], by the piece's numbers. */
  readonly indices: Int32Array;
  /** u8[vertices]: whether they are in the slab with all their neighbours. */
  readonly mayGo: Uint8Array;
}

/** Cuts a mesh across its longest axis into slabs of equal numbers of vertices; none where there would be one only. */
function cutAcross(editor: MeshEditor): Piece[] {
  const { indices, nVertices } = editor;
  const live = Int32Array.from({ length: nVertices }, (_, v) => v).filter(
    (v) => editor.nextCorner(v, -1) >= 0,
  );
  const nPieces = Math.min(MAX_PIECES, Math.floor(live.length / VERTICES_PER_PIECE));
  if (nPieces < 2) return [];
  const pieceOf = slabsOf(editor, live, nPieces);
  const own = Array.from({ length: nPieces }, () => [] as number[]);
  for (const v of live) own[pieceOf[v]].push(v);
  const triangles = Array.from({ length: nPieces }, () => [] as number[]);
  const isInner = new Uint8Array(nVertices).fill(1);
  for (const t of editor.liveTriangles()) {
    const [a, b, c] = [pieceOf[indices[t]], pieceOf[indices[t + 1]], pieceOf[indices[t + 2]]];
    triangles[a].push(t);
    if (a === b && a === c) continue;
    if (b !== a) triangles[b].push(t);
    if (c !== a && c !== b) triangles[c].push(t);
    for (let k = 0; k < 3; k++) isInner[indices[t + k]] = 0;
  }
  const numbers = new Int32Array(nVertices);
  return own.map((vertices, piece) => {
    const nOwn = vertices.length;
    numbers.fill(-1);
    vertices.forEach((v, k) => {
      numbers[v] = k;
    });
    const local = new Int32Array(triangles[piece].length * 3);
    let n = 0;
    for (const t of triangles[piece]) {
      for (let k = 0; k < 3; k++) {
        const v = indices[t + k];
        if (numbers[v] < 0) numbers[v] = vertices.push(v) - 1;
        local[n++] = numbers[v];
      }
    }
    const mayGo = new Uint8Array(vertices.length);
    for (let k = 0; k < nOwn; k++) mayGo[k] = isInner[vertices[k]];
    return { vertices: Int32Array.from(vertices), nOwn, indices: local, mayGo };
  });
}

/** The slab of each vertex. */
function slabsOf({ positions: p, nVertices }: MeshEditor, live: Int32Array, nSlabs: number): Uint8Array {
  const along = [0, 1, 2].map((k) => new Float64Array(live.length).map((_, i) => p[live[i] * 3 + k]).sort());
  const extents = along.map((sorted) => sorted[sorted.length - 1] - sorted[0]);
  const axis = extents.indexOf(Math.max(...extents));
  const slabOf = new Uint8Array(nVertices);
  for (let i = 1; i < nSlabs; i++) {
    const cut = along[axis][Math.floor((i * live.length) / nSlabs)];
    for (const v of live) if (p[v * 3 + axis] >= cut) slabOf[v] = i;
  }
  return slabOf;
}

/** Of what the parts of a mesh may lose every piece has a share, by its vertices: together they keep to it. */
function divideVolumes({ partOf, most, origins }: VolumeLimits, pieces: readonly Piece[]): VolumeLimits[] {
  const nVertices = new Int32Array(most.length);
  for (const { vertices, nOwn } of pieces) for (let k = 0; k < nOwn; k++) nVertices[partOf[vertices[k]]]++;
  const numbers = new Int32Array(most.length);
  return pieces.map(({ vertices, nOwn }) => {
    numbers.fill(-1);
    const parts: number[] = [];
    const counts: number[] = [];
    const own = vertices.map((v, k) => {
      const part = partOf[v];
      if (numbers[part] < 0) numbers[part] = parts.push(part) - 1;
      const number = numbers[part];
      counts[number] = (counts[number] ?? 0) + (k < nOwn ? 1 : 0);
      return number;
    });
    return {
      partOf: own,
      most: Float64Array.from(parts, (part, i) => (most[part] * counts[i]) / nVertices[part]),
      origins: Float64Array.from(parts.flatMap((part) => [...origins.subarray(part * 3, part * 3 + 3)])),
    };
  });
}

function taskOf(
  { vertices, indices, mayGo }: Piece,
  { positions, faces }: MeshEditor,
  { normals, slopes }: VertexData,
  tolerances: Float64Array,
  volumes: VolumeLimits,
): ThinTask {
  const n = vertices.length;
  const task = {
    kind: 'thin',
    indices,
    positions: new Float64Array(n * 3),
    normals: new Float64Array(n * 3),
    slopes: new Float64Array(n),
    tolerances: new Float64Array(n),
    faces: new Uint8Array(n),
    mayGo,
    volumes,
  } as const;
  for (let i = 0; i < n; i++) {
    const v = vertices[i];
    for (let k = 0; k < 3; k++) {
      task.positions[i * 3 + k] = positions[v * 3 + k];
      task.normals[i * 3 + k] = normals[v * 3 + k];
    }
    task.slopes[i] = slopes[v];
    task.tolerances[i] = tolerances[v];
    task.faces[i] = faces[v];
  }
  return task;
}
