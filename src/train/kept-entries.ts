import { entryIndex } from '../field/hash-grid.ts';
import type { Box3, GridLevel, HashGridEncoding } from '../format/asset.ts';
import { nearestVertices } from '../format/table-model.ts';
import type { Triangles } from '../surface/triangle-tree.ts';

/** Cells are numbered in doubles: finer levels than this are kept whole. */
const MAX_RESOLUTION = 2 ** 17;
/** Steps of a triangle's samples to the side of a cell. */
const STEPS_A_CELL = 4;

/**
 * Which entries of a grid a surface needs: those of the cells that it crosses at the finest level, one cell more at the levels
 * between, all of the coarsest. Where the others are dropped, the coarser levels go on alone.
 */
export class KeptEntries {
  /** u8[nEntries] by level; null where all are kept. */
  readonly levels: readonly (Uint8Array | null)[];
  private readonly grid: readonly GridLevel[];
  private readonly domain: Box3;

  constructor({ levels }: HashGridEncoding, domain: Box3) {
    this.grid = levels;
    this.domain = domain;
    this.levels = levels.map(({ resolution, nEntries }, l) =>
      l === 0 || resolution > MAX_RESOLUTION ? null : new Uint8Array(nEntries),
    );
  }

  /**
   * Keeps what a mesh crosses; gives how many entries that adds, and how many of the finest level's cells had none of theirs before:
   * those lie apart from all that was kept.
   * @param margin cells more around those that lie apart.
   */
  add(mesh: Triangles, margin = 0): { readonly nAdded: number; readonly nApart: number } {
    const before = this.count();
    const finest = this.grid.length - 1;
    let nApart = 0;
    for (let l = 1; l <= finest; l++) nApart = this.addCells(l, mesh, l < finest ? 1 : 0, margin);
    for (let l = finest; l > 1; l--) this.addNearest(l);
    return { nAdded: this.count() - before, nApart };
  }

  /** Whether every entry is kept that a point is interpolated of, on all levels. In the domain as the unit cube. */
  isWhole(x: number, y: number, z: number): boolean {
    return this.grid.every((level, l) => {
      const kept = this.levels[l];
      if (kept === null) return true;
      const at = (share: number): number => Math.floor(share * level.scale + level.offset);
      const [cx, cy, cz] = [at(x), at(y), at(z)];
      for (let c = 0; c < 8; c++) {
        if (kept[entryIndex(level, cx + (c & 1), cy + ((c >> 1) & 1), cz + (c >> 2))] === 0) return false;
      }
      return true;
    });
  }

  count(): number {
    return this.grid.reduce((sum, { nEntries }, l) => {
      const kept = this.levels[l];
      return sum + (kept === null ? nEntries : kept.reduce((n, is) => n + is, 0));
    }, 0);
  }

  private addCells(l: number, { positions, indices }: Triangles, base: number, margin: number): number {
    const kept = this.levels[l];
    if (kept === null) return 0;
    const before = kept.slice();
    let nApart = 0;
    const { min, max } = this.domain;
    const level = this.grid[l];
    const { scale, offset, resolution } = level;
    const side = resolution + 2;
    const grid = Float64Array.from(positions, (x, i) => {
      const k = i % 3;
      return ((x - min[k]) / (max[k] - min[k])) * scale + offset;
    });
    const cells = new Set<number>();
    for (let t = 0; t < indices.length; t += 3) {
      const [a, b, c] = [indices[t] * 3, indices[t + 1] * 3, indices[t + 2] * 3];
      let extent = 0;
      for (let k = 0; k < 3; k++) {
        const corners = [grid[a + k], grid[b + k], grid[c + k]];
        extent = Math.max(extent, Math.max(...corners) - Math.min(...corners));
      }
      const n = Math.max(1, Math.ceil(extent * STEPS_A_CELL));
      for (let i = 0; i <= n; i++) {
        for (let j = 0; i + j <= n; j++) {
          const [u, v, w] = [(n - i - j) / n, i / n, j / n];
          const at = (k: number): number => Math.floor(u * grid[a + k] + v * grid[b + k] + w * grid[c + k]);
          cells.add(at(0) + side * (at(1) + side * at(2)));
        }
      }
    }
    for (const cell of cells) {
      const x = cell % side;
      const y = Math.floor(cell / side) % side;
      const z = Math.floor(cell / (side * side));
      let isApart = true;
      for (let c = 0; c < 8; c++) {
        if (before[entryIndex(level, x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2))] === 1) isApart = false;
      }
      const ring = isApart ? base + margin : base;
      for (let dz = -ring; dz <= 1 + ring; dz++) {
        for (let dy = -ring; dy <= 1 + ring; dy++) {
          for (let dx = -ring; dx <= 1 + ring; dx++) {
            if (x + dx < 0 || y + dy < 0 || z + dz < 0) continue;
            kept[entryIndex(level, x + dx, y + dy, z + dz)] = 1;
          }
        }
      }
      nApart += Number(isApart);
    }
    return nApart;
  }

  /** The coarser level keeps what is nearest to what this one keeps: the codec asks for it. */
  private addNearest(l: number): void {
    const [kept, coarser] = [this.levels[l], this.levels[l - 1]];
    const [own, parent] = [this.grid[l], this.grid[l - 1]];
    if (coarser === null || !own.isDense || !parent.isDense) return;
    const n = own.resolution;
    const m = parent.resolution;
    const nearest = nearestVertices(own, parent);
    for (let i = 0; i < own.nEntries; i++) {
      if (kept?.[i] === 0) continue;
      const z = Math.min(n - 1, Math.floor(i / (n * n)));
      coarser[nearest[i % n] + m * (nearest[Math.floor(i / n) % n] + m * nearest[z])] = 1;
    }
  }
}
