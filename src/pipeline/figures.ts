import type { Backend, DeriveStage } from '../options.ts';
import type { EmptyReason } from '../surface/explain-empty.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { RegionStructure } from '../surface/structure.ts';
import type { SurfaceStats } from './steps.ts';

/** Counts and times of one derivation. */
export interface DeriveStats {
  /**
   * `derived`: from the field's own regions, certified complete (`isComplete`). `lattice`: a preview, or a `resolution` for which that
   * is cheaper: on a plain lattice, measured both ways, certified in nothing.
   */
  readonly method: 'derived' | 'lattice';
  readonly nVertices: number;
  readonly nTriangles: number;
  readonly nBoxes: number;
  readonly nBoxesTested: number;
  /** Of those that may hold surface: where they are larger than the field's own, fewer. */
  readonly nBoxesSurviving: number;
  /** Boxes that could not be settled within the subdivision limit (the mesh stays closed there). */
  readonly nBoxesUnsettled: number;
  /**
   * What was asked for, both ways, the largest of several; 0 for `exact`, half a box for a preview. Whether it is kept is
   * measured, see `isWithinTolerance`.
   */
  readonly toleranceLocal: number;
  /**
   * The measured error in local units: the largest distance from the zero set of 8,192 points of the mesh as it is given out (65,536 in
   * the worker where it is not complete), of many on the triangles of the farthest, and of those where it could not be mended, each
   * bounded by a change of f's sign that near. What lies between is not seen (`checkMesh` measures more).
   */
  readonly errorLocal?: number;
  /**
   * The measured error the other way: the largest distance from the mesh of points of the zero set, and of more around the farthest.
   * Of a derived mesh the points are the vertices that it had before it was thinned or simplified, the middles of sides that are gone,
   * and places in boxes with several sheets and along sharp creases; of a lattice level those of the lattice, on random segments in its
   * boxes and on lines through the domain. Infinity where the mesh is empty and the zero set isn't. On the GPU the
   * vertices that were removed, a place beside each, and places around those that are far. Absent for `exact`, which removes no vertex.
   */
  readonly errorBackLocal?: number;
  /** Whether `errorLocal` and `errorBackLocal`, where it was measured, are at most `toleranceLocal`; absent for `exact`, which is asked for none. */
  readonly isWithinTolerance?: boolean;
  /**
   * Whether it is certified that no part of the zero set is missing: every box was settled, and every loop in one filled as a
   * disc. However small in boxes of the field's own; in larger cells, which there are where its levels are much finer than the
   * tolerance, none that is farther than that from the mesh. Never for a lattice level.
   */
  readonly isComplete: boolean;
  /** Where the derivation ended before it was done. */
  readonly stops: DeriveStops;
  /** Where the mesh is empty: why, as far as points tell. `unsigned` fields, |f| or relu(f), have no inside to enclose. */
  readonly emptyReason?: EmptyReason;
  /** Milliseconds by stage. */
  readonly timeMs: Readonly<Partial<Record<DeriveStage, number>>>;
  readonly totalTimeMs: number;
  /** Who made the mesh; `cache` where nobody had to. `backendReason` says why, and who did the rest. */
  readonly backend: Backend | 'cache';
  readonly backendReason: string;
  /** Who searched the domain for the surface: `cache` where the regions, or the whole mesh, were found there. */
  readonly searchedBy: Backend | 'cache';
  readonly cache: CacheUse;
}

/**
 * How often a limit ended a part of the derivation early; all 0 where none did. What one step leaves a later one may mend:
 * `isWithinTolerance` says how it came out.
 */
export interface DeriveStops {
  /** Boxes whose surface did not come out as discs when the rounds of dividing them ended. */
  readonly nBoxesUnsound: number;
  /** Boxes in which refinement used up its vertices. */
  readonly nBoxesFull: number;
  /** Boxes in which refinement found no place for a vertex that it wanted. */
  readonly nBoxesUnrefined: number;
  /** Places of the finished mesh that stood off by more than they should when the last pass of its repair ended. */
  readonly nPlacesLeft: number;
  /** Divisions of the finished mesh that would have folded it, or found no point of the zero set. */
  readonly nDivisionsRefused: number;
  /** Divisions of the finished mesh for which there was no room. */
  readonly nWithoutRoom: number;
  /** Sides of triangles inside of the bounds that do not run against exactly one other: where there are any the mesh is not closed. */
  readonly nUnpairedSides: number;
}

/** What a cache did for a derivation. */
export interface CacheUse {
  /**
   * `off`: none was used. `miss`: nothing was found. `regions`: the search was saved. `memory`, `store`, `file`: the
   * whole mesh was found there.
   */
  readonly use: 'off' | 'miss' | 'regions' | 'memory' | 'store' | 'file';
  /** Why, where it is `off` or something that was found could not be used. */
  readonly reason: string;
}

/** What a derivation returns. A field without zero set gives an empty mesh and `isEmpty`. */
export interface DeriveResult {
  readonly mesh: SurfaceMesh;
  readonly isEmpty: boolean;
  readonly stats: DeriveStats;
  /** Where `structure: true` asked for it. */
  readonly structure?: RegionStructure;
}

/** A derivation that no limit ended early. */
export const NO_STOPS: DeriveStops = {
  nBoxesUnsound: 0,
  nBoxesFull: 0,
  nBoxesUnrefined: 0,
  nPlacesLeft: 0,
  nDivisionsRefused: 0,
  nWithoutRoom: 0,
  nUnpairedSides: 0,
};

/** What a derivation found out, without what follows from it. */
export type Findings = Omit<SurfaceStats, 'isWithinTolerance' | 'isComplete'>;

/**
 * Adds what follows from the figures: whether the tolerance is kept, by measurement, and whether nothing is missing, by
 * certificate, and the mesh is closed as it has to be then. The one place where either is decided, for meshes that were derived, simplified, and read from a record.
 */
export function conclude(findings: Findings): SurfaceStats {
  const { method, toleranceLocal, errorLocal = Number.POSITIVE_INFINITY, nBoxesUnsettled, stops } = findings;
  const isDerived = method === 'derived';
  // What a derivation lacks is certified; what a lattice lacks has to be measured.
  const { errorBackLocal = isDerived ? 0 : Number.POSITIVE_INFINITY } = findings;
  return {
    ...findings,
    ...(toleranceLocal > 0 && { isWithinTolerance: Math.max(errorLocal, errorBackLocal) <= toleranceLocal }),
    isComplete: isDerived && nBoxesUnsettled + stops.nBoxesUnsound + stops.nUnpairedSides === 0,
  };
}
