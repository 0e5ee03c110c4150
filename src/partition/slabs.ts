import { type Lattice, rootCounts } from './corners.ts';

/** Layers of a slab, at least: in thinner ones what is decided twice on seams would be too large a share of the work. */
const LEAST_LAYERS = 6;
/** Slabs at most. */
const MAX_SLABS = 32;

/**
 * The domain cut across one axis, between boxes of the search, into slabs of equal numbers of layers. The cuts depend on the lattice alone,
 * not on who searched it or who derives the slabs, so neither does the mesh.
 */
export interface Slabs {
  readonly axis: number;
  /** Slab i has the boxes from layer cuts[i] to before layer cuts[i + 1]; one slab at least. */
  readonly cuts: readonly number[];
  /** Boxes of each, in their order: i32[n * 3]. */
  readonly boxes: readonly Int32Array[];
}

/** Cuts across the axis with the most layers. @param boxes i32[n * 3], of the search. */
export function cutIntoSlabs(lattice: Lattice, boxes: Int32Array): Slabs {
  const nLayers = rootCounts(lattice);
  const most = Math.max(...nLayers);
  const axis = nLayers.indexOf(most);
  const nSlabs = Math.max(1, Math.min(MAX_SLABS, Math.floor(most / LEAST_LAYERS)));
  const cuts = Array.from({ length: nSlabs + 1 }, (_, i) => Math.round((i * most) / nSlabs));
  return { axis, cuts, boxes: distribute(boxes, axis, cuts) };
}

function distribute(boxes: Int32Array, axis: number, cuts: readonly number[]): Int32Array[] {
  const slabOf = new Uint8Array(cuts[cuts.length - 1]);
  for (let i = 1; i + 1 < cuts.length; i++) slabOf.fill(i, cuts[i]);
  const counts = new Int32Array(cuts.length - 1);
  for (let i = 0; i < boxes.length; i += 3) counts[slabOf[boxes[i + axis]]]++;
  const slabs = Array.from(counts, (n) => new Int32Array(n * 3));
  counts.fill(0);
  for (let i = 0; i < boxes.length; i += 3) {
    const slab = slabOf[boxes[i + axis]];
    slabs[slab].set(boxes.subarray(i, i + 3), 3 * counts[slab]++);
  }
  return slabs;
}
