import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { DeriveProgress, DeriveResult, FieldAsset } from '../index.ts';
import {
  type Eye,
  type Level,
  type LevelListener,
  LevelSelector,
  type LevelStore,
  type LocalBounds,
} from '../lod/index.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { awaitedLevel, createFieldLevels } from '../plugin/field-levels.ts';
import { coverageLimit } from '../plugin/screen-coverage.ts';
import { fillGeometry } from './geometry.ts';
import { LevelMeshes } from './level-meshes.ts';
import type { NSDFLodOptions } from './lod-options.ts';
import { observeLod } from './scene-lods.ts';

/** How the levels of one geometry are made. */
export interface GeometryLodOptions {
  readonly lod: NSDFLodOptions;
  readonly derive: DeriveSettings;
  /** Called when the geometry has got another level's surface. */
  readonly onBase: (result: DeriveResult) => void;
  readonly onProgress?: ((progress: DeriveProgress) => void) | undefined;
}

/** A view, as far as Babylon's own choice by coverage depends on it. */
export interface View extends Eye {
  readonly focalPixels: number;
  readonly viewPixels: number;
}

/**
 * Levels of detail of one geometry: it holds the best level that there is, the coarser ones are Babylon's LOD levels of
 * the meshes that share it, by screen coverage. Which levels are made, and which are dropped, the scheduler decides by
 * what is on screen.
 */
export class GeometryLod implements LevelListener<DeriveResult> {
  readonly store: LevelStore<DeriveResult>;
  readonly #geometry: Geometry;
  readonly #bounds: LocalBounds;
  readonly #options: GeometryLodOptions;
  readonly #selectors = new Map<AbstractMesh, LevelSelector<DeriveResult>>();
  readonly #coarser = new Map<Level<DeriveResult>, LevelMeshes>();
  readonly #stopObserving: () => void;
  #base: Level<DeriveResult> | null = null;

  constructor(geometry: Geometry, asset: FieldAsset, options: GeometryLodOptions) {
    const { lod, derive, onProgress } = options;
    this.store = createFieldLevels<DeriveResult>(asset, derive, lod, {
      build: (result) => result,
      free: () => {},
      ...(onProgress && { onProgress }),
    });
    const { domain, region = domain } = asset;
    this.#bounds = [...region.min, ...region.max];
    this.#geometry = geometry;
    this.#options = options;
    this.#stopObserving = observeLod(geometry, this);
  }

  /** Makes the level that a load waits for, and puts it in the geometry. */
  load(which: NSDFLodOptions['waitFor'], signal?: AbortSignal): Promise<Level<DeriveResult>> {
    return this.loadLevel(awaitedLevel(this.store, which), signal);
  }

  async loadLevel(level: Level<DeriveResult>, signal?: AbortSignal): Promise<Level<DeriveResult>> {
    const waiting: LevelSelector<DeriveResult> = new LevelSelector(
      this.store,
      this.#relayFor(() => waiting),
      this.#options.lod,
    );
    this.store.attach(waiting);
    try {
      return await this.store.demand(level, signal);
    } finally {
      waiting.dispose();
    }
  }

  /** The level that was chosen for a mesh in the last frame: the one wanted, or the nearest that is there. */
  shownBy(mesh: AbstractMesh): Level<unknown> | null {
    return this.#selectors.get(mesh)?.shown ?? null;
  }

  /** The level that a mesh asked for last; null before it was drawn. */
  wantedBy(mesh: AbstractMesh): Level<unknown> | null {
    return this.#selectors.get(mesh)?.wanted ?? null;
  }

  /** A mesh, or an instance of one, is drawn in a view. Called after Babylon has chosen its level for this frame. */
  look(mesh: AbstractMesh, view: View): void {
    const selector = this.#selectors.get(mesh) ?? this.#addSelector(mesh);
    if (!selector.isAttached) this.#fillBase();
    selector.begin();
    selector.look(view, mesh.getWorldMatrix().asArray(), this.#bounds);
    selector.choose();
    if (mesh instanceof Mesh) this.#offerLevels(mesh, view);
  }

  levelReady(level: Level<DeriveResult>): void {
    this.#fillBase();
    this.#options.lod.onLevel?.({ level, what: 'ready' });
  }

  levelEvicted(level: Level<DeriveResult>): void {
    this.#drop(level);
    this.#fillBase();
    this.#options.lod.onLevel?.({ level, what: 'evicted' });
  }

  levelFailed(level: Level<DeriveResult>, error: unknown): void {
    this.#options.lod.onLevel?.({ level, what: 'failed', error });
  }

  /** Ends what is being made and takes the levels off the meshes; the geometry stays as it is. */
  dispose(): void {
    this.#stopObserving();
    for (const selector of this.#selectors.values()) selector.dispose();
    this.#selectors.clear();
    for (const level of [...this.#coarser.keys()]) this.#drop(level);
  }

  #addSelector(mesh: AbstractMesh): LevelSelector<DeriveResult> {
    const selector: LevelSelector<DeriveResult> = new LevelSelector(
      this.store,
      this.#relayFor(() => selector),
      this.#options.lod,
    );
    this.#selectors.set(mesh, selector);
    mesh.onDisposeObservable.addOnce(() => {
      selector.dispose();
      this.#selectors.delete(mesh);
      if (mesh instanceof Mesh) for (const meshes of this.#coarser.values()) meshes.remove(mesh);
      if (this.#selectors.size === 0 && this.#geometry.isDisposed()) this.dispose();
    });
    return selector;
  }

  /** All that show the field are told of its levels, which they share: one of them passes it on. */
  #relayFor(getSelector: () => LevelSelector<DeriveResult>): LevelListener<DeriveResult> {
    const isFirst = (): boolean => this.store.selectors[0] === getSelector();
    return {
      levelReady: (level) => isFirst() && this.levelReady(level),
      levelEvicted: (level) => isFirst() && this.levelEvicted(level),
      levelFailed: (level, error) => isFirst() && this.levelFailed(level, error),
    };
  }

  /** The geometry shows the level of the least error; clones and instances follow. */
  #fillBase(): void {
    const best = this.#best();
    if (best === null || best === this.#base) return;
    this.#base = best;
    this.#drop(best);
    const result = best.value as DeriveResult;
    fillGeometry(this.#geometry, result.mesh);
    this.#options.onBase(result);
  }

  #best(): Level<DeriveResult> | null {
    const { preview, levels } = this.store;
    let best: Level<DeriveResult> | null = null;
    for (const level of levels) {
      if (level.status === 'ready' && !(best && best.errorLocal <= level.errorLocal)) best = level;
    }
    return best ?? (preview?.status === 'ready' ? preview : null);
  }

  /** Has Babylon show coarser levels where they are good enough. */
  #offerLevels(mesh: Mesh, view: View): void {
    mesh.useLODScreenCoverage = true;
    const { minimum, maximum } = this.#geometry.extend;
    const radiusLocal = maximum.subtract(minimum).length() / 2;
    for (const level of this.store.levels) {
      if (level.status !== 'ready' || !this.#isCoarser(level)) continue;
      const { focalPixels, viewPixels } = view;
      const screenError = this.#options.lod.screenError ?? 1;
      const { errorLocal } = level;
      const limit = coverageLimit({ errorLocal, radiusLocal, screenError, focalPixels, viewPixels });
      this.#meshesOf(level).update(mesh, limit);
    }
  }

  #isCoarser(level: Level<DeriveResult>): boolean {
    return this.#base !== null && level.nTriangles < this.#base.nTriangles;
  }

  #meshesOf(level: Level<DeriveResult>): LevelMeshes {
    let meshes = this.#coarser.get(level);
    if (!meshes) {
      const { mesh } = level.value as DeriveResult;
      meshes = new LevelMeshes(level.name, this.#geometry.getScene(), mesh);
      this.#coarser.set(level, meshes);
    }
    return meshes;
  }

  #drop(level: Level<DeriveResult>): void {
    this.#coarser.get(level)?.dispose();
    this.#coarser.delete(level);
  }
}
