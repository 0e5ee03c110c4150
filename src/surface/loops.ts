import { growInt32 } from '../arrays.ts';
import type { FaceTable } from './faces.ts';
import type { RectTable } from './rects.ts';

/**
 * Links the face curves around one leaf to loops: every curve's end root is the start root of exactly one other, since
 * each edge root lies on two of the leaf's rectangles, once as an end and once as a start. Loops are counter-clockwise
 * seen from f > 0.
 */
export class LoopLinker {
  nLoops = 0;
  /** Vertices of loop l are vertex[start[l] ... start[l + 1]). */
  start = new Int32Array(8);
  vertex = new Int32Array(64);
  /** Bit 2 * axis + (1 on the upper side) for every side of the leaf that the vertex lies on. */
  sides = new Int32Array(64);
  readonly #rects: RectTable;
  readonly #faces: FaceTable;
  readonly #curve: number[] = [];
  readonly #isReversed: boolean[] = [];
  readonly #side: number[] = [];
  readonly #isUsed: boolean[] = [];
  #nVertices = 0;
  /** Curves around the leaf; the four arrays may have old values beyond. */
  #nCurves = 0;

  constructor(rects: RectTable, faces: FaceTable) {
    this.#rects = rects;
    this.#faces = faces;
  }

  /** Links the loops of `node`; false where curves do not close up (its data is then inconsistent). */
  link(node: number): boolean {
    this.#collect(node);
    this.nLoops = 0;
    this.#nVertices = 0;
    for (let first = 0; first < this.#nCurves; first++) {
      if (this.#isUsed[first]) continue;
      if (!this.#follow(first)) return false;
      this.start = growInt32(this.start, this.nLoops + 2);
      this.start[++this.nLoops] = this.#nVertices;
    }
    return true;
  }

  #collect(node: number): void {
    const rects = this.#rects;
    const faces = this.#faces;
    this.#nCurves = 0;
    for (let i = rects.listStart[node]; i < rects.listStart[node + 1]; i++) {
      const rect = rects.list[i] >> 1;
      const isUpper = rects.list[i] & 1;
      for (let c = faces.curveStart[rect]; c < faces.curveStart[rect + 1]; c++) {
        const i = this.#nCurves++;
        this.#curve[i] = c;
        this.#isReversed[i] = isUpper === 0;
        this.#side[i] = 1 << (rects.axis[rect] * 2 + isUpper);
        this.#isUsed[i] = false;
      }
    }
  }

  #follow(first: number): boolean {
    const from = this.#nVertices;
    let i = first;
    do {
      this.#isUsed[i] = true;
      this.#append(i, from);
      i = this.#findStart(this.#endOf(i), first);
      if (i < 0) return false;
    } while (i !== first);
    this.sides[from] |= this.#pendingSide;
    return true;
  }

  #pendingSide = 0;

  /** Appends the vertices of curve i but its last, whose sides are remembered for the next curve's first. */
  #append(i: number, from: number): void {
    const { chain, chainStart } = this.#faces;
    const c = this.#curve[i];
    const n = chainStart[c + 1] - chainStart[c];
    const side = this.#side[i];
    const needed = this.#nVertices + n;
    this.vertex = growInt32(this.vertex, needed);
    this.sides = growInt32(this.sides, needed);
    for (let k = 0; k + 1 < n; k++) {
      const at = this.#isReversed[i] ? chainStart[c + 1] - 1 - k : chainStart[c] + k;
      this.vertex[this.#nVertices] = chain[at];
      this.sides[this.#nVertices] = side | (k === 0 && this.#nVertices > from ? this.#pendingSide : 0);
      this.#nVertices++;
    }
    this.#pendingSide = side;
  }

  #endOf(i: number): number {
    const { chain, chainStart } = this.#faces;
    const c = this.#curve[i];
    return this.#isReversed[i] ? chain[chainStart[c]] : chain[chainStart[c + 1] - 1];
  }

  #startOf(i: number): number {
    const { chain, chainStart } = this.#faces;
    const c = this.#curve[i];
    return this.#isReversed[i] ? chain[chainStart[c + 1] - 1] : chain[chainStart[c]];
  }

  #findStart(vertex: number, first: number): number {
    for (let i = 0; i < this.#nCurves; i++) {
      if ((i === first || !this.#isUsed[i]) && this.#startOf(i) === vertex) return i;
    }
    return -1;
  }
}
