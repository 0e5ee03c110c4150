import type { PartitionCache } from '../cache/partition-cache.ts';
import type { Box3, Vec3 } from '../format/asset.ts';
import type { ToleranceBlocks } from '../surface/detail-map.ts';
import type { EmptyReason } from '../surface/explain-empty.ts';
import type { SurfaceMesh } from '../surface/mesh.ts';
import type { RegionStructure } from '../surface/structure.ts';

/**
 * Stages in the order in which they run. Edges, faces and polygons are derived slab by slab: progress calls all of that
 * `polygons`, `timeMs` tells them apart.
 */
export type DeriveStage =
  | 'partition'
  | 'settle'
  | 'edges'
  | 'faces'
  | 'polygons'
  | 'refine'
  | 'simplify'
  | 'normals';

/** Progress of one job: `fraction` is of the whole job, in [0, 1]. */
export interface DeriveProgress {
  readonly stage: DeriveStage;
  readonly fraction: number;
}

/** Where the work runs. `gpu`: on the GPU, and in the worker (or in place without one) what takes double precision. */
export type Backend = 'cpu' | 'worker' | 'gpu';

/** A share of the page's workers, known by its identity: see `DeriveOptions.workerLimit`. */
export interface WorkerLimit {
  /** Workers at once, at least 1. */
  readonly maxWorkers: number;
}

/** How a mesh is asked for. At most one of `tolerance`, `resolution`, `exact` and `preview`; the default is the asset's own tolerance, or a share of its domain. */
export interface DeriveOptions {
  /** Largest distance between mesh and zero set, both ways, in the asset's local units. Default: domain diagonal / 3464 (1e-3 in [-1,1]³). */
  readonly tolerance?: number;
  /**
   * The tolerance of a uniform lattice with that many boxes along the longest axis: an eighth of its spacing. Where that is
   * cheaper, which it is while a quarter of its spacing is at least two fifths of the field's own boxes, the mesh is made on a lattice of
   * boxes two tolerances wide: its cost does not depend on how fine the field is, but what is thinner than a box may be
   * missing (`stats.method`, `stats.errorBackLocal`). Finer ones are derived; fields without a grid then on that lattice.
   */
  readonly resolution?: number;
  /** The whole polyhedral complex: every crease of every neuron. */
  readonly exact?: boolean;
  /**
   * A quick picture instead of a derivation, within milliseconds: a lattice level that is not thinned, of that many boxes along
   * the longest axis, at most 128. Closed, its vertices on the zero set, but what is smaller than a box may be missing. To
   * be shown until the mesh is there.
   */
  readonly preview?: number;
  /**
   * Close a surface that leaves the domain (or the region) by the parts of the faces where f < 0: a watertight solid. The
   * caps share the border's vertices and their normals; `creaseAngle` splits them. Where all is inside, the mesh is the
   * box. Default: false, the mesh is open there.
   */
  readonly cap?: boolean;
  /** Simplify to at most this many vertices, on the zero set; all parts stay. The caps count. */
  readonly maxVertices?: number;
  /** Split normals where the field's gradients on both sides of an edge differ by more than this angle, in degrees. Vertices are then duplicated, on top of `maxVertices`. Default: never. */
  readonly creaseAngle?: number;
  /**
   * Derive only what lies in this box of local units, for tiles of a large field. The mesh is open on the box's faces;
   * neighbouring regions meet there within the tolerance, not vertex by vertex. Default tolerance and resolution stay
   * those of the whole domain, and what stands out of the domain is cut off. Default: the asset's own region, else the
   * domain.
   */
  readonly region?: Box3;
  /**
   * What the mesh's positions are to be relative to, in local units; `mesh.origin` says so. Default: nothing, but for
   * fields far from zero their middle (`originOf`); the middle of a small `region` of a large domain is worth asking for.
   */
  readonly origin?: Vec3;
  /**
   * A tolerance for each block of a uniform division of the domain, instead of one `tolerance`: detail by view inside one
   * large field. Blocks of different tolerance meet without a crack, the finer one deciding what they share.
   */
  readonly blocks?: ToleranceBlocks;
  /** Also return the region structure (see `RegionStructure`). */
  readonly structure?: boolean;
  readonly backend?: Backend | 'auto';
  /** The GPU device to share with a renderer, for the backend `gpu`. Default: one of our own. */
  readonly device?: GPUDevice;
  /**
   * Derivations that are given the same object have at most its `maxWorkers` of the page's workers at once; the others
   * wait, and leave the remaining workers to whoever else derives. Default: all there are.
   */
  readonly workerLimit?: WorkerLimit;
  /**
   * Where earlier results are looked for and this one is kept; false for nowhere. Default: the page's own cache (see
   * `setDefaultCache`), where there is IndexedDB.
   */
  readonly cache?: PartitionCache | false;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DeriveProgress) => void;
}

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
   * The measured error in local units: the largest distance from the zero set of 8,192 points of the mesh as it is given out, and
   * of those where it could not be mended, each bounded by a change of f's sign that near. What lies between is not seen
   * (`checkMesh` measures more).
   */
  readonly errorLocal?: number;
  /**
   * The measured error the other way: the largest distance from the mesh of points of the zero set, and of more around the farthest.
   * Of a derived mesh the points are the vertices that it had before it was thinned or simplified, the middles of sides that are gone,
   * and places in boxes with several sheets and along sharp creases; of a lattice level those of the lattice, on random segments in its
   * boxes and on lines through the domain. Infinity where the mesh is empty and the zero set isn't. Absent for `exact`, which removes
   * no vertex, and from the GPU.
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
