import {
  type Box3,
  type DeriveResult,
  type DeriveStats,
  deriveMesh,
  type FieldAsset,
  listFields,
  NsdfFormatError,
  readNsdf,
  type SurfaceMesh,
  TableStore,
} from '../../src/index.ts';
import { type Eye, type Level, LevelSelector, type LocalBounds } from '../../src/lod/index.ts';
import { linkedController, NewestDerivation, raceAbort } from '../../src/plugin/abort.ts';
import { fetchBytes } from '../../src/plugin/fetch-bytes.ts';
import { awaitedLevel, createFieldLevels } from '../../src/plugin/field-levels.ts';
import type { PreviewPart } from '../../src/plugin/file-preview.ts';
import { DEFAULT_LOOK, namedAttributes, packIndices } from '../../src/plugin/geometry.ts';
import { LazyPreview } from '../../src/plugin/lazy-preview.ts';
import {
  type DeriveSettings,
  type FieldSettings,
  type LodSettings,
  lodOf,
  type NSDFProgress,
  refuseUnknownSettings,
} from '../../src/plugin/settings.ts';

/** What this engine draws: plain buffers, which are its own until they are freed. */
export interface Buffers {
  readonly attributes: Readonly<Record<string, Float32Array>>;
  readonly indices: Uint16Array | Uint32Array;
  readonly bounds: LocalBounds;
  readonly stats: DeriveStats | null;
  isFree: boolean;
}

/** A node of this engine's scene graph. */
export class Node {
  name = '';
  /** Column-major. */
  matrix: readonly number[] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  buffers: Buffers | null = null;
  baseColor: readonly number[] = DEFAULT_LOOK.baseColor;
  readonly children: Node[] = [];

  dispose(): void {
    for (const child of this.children) child.dispose();
    if (this.buffers) this.buffers.isFree = true;
    this.buffers = null;
  }
}

function toBuffers(mesh: SurfaceMesh, stats: DeriveStats | null): Buffers {
  const { positions, normals } = mesh;
  const extra = namedAttributes(mesh).map(({ name, values }) => [name, values] as const);
  const attributes = { POSITION: positions, NORMAL: normals, ...Object.fromEntries(extra) };
  return { attributes, indices: packIndices(mesh), bounds: boundsOf(positions), stats, isFree: false };
}

function boundsOf(positions: Float32Array): LocalBounds {
  const bounds = [1, 1, 1, -1, -1, -1].map((sign) => sign * Number.POSITIVE_INFINITY);
  for (let i = 0; i < positions.length; i++) {
    bounds[i % 3] = Math.min(bounds[i % 3], positions[i]);
    bounds[(i % 3) + 3] = Math.max(bounds[(i % 3) + 3], positions[i]);
  }
  return bounds as unknown as LocalBounds;
}

const boxOf = ({ min, max }: Box3): LocalBounds => [...min, ...max];

/** A node that shows a field: one mesh, or the level that its eyes ask for. */
export class FieldNode extends Node {
  readonly asset: FieldAsset;
  private readonly _newest = new NewestDerivation();
  private _selector: LevelSelector<Buffers> | null = null;

  constructor(asset: FieldAsset) {
    super();
    this.asset = asset;
  }

  get level(): Level<Buffers> | null {
    return this._selector?.shown ?? null;
  }

  /** Derives the one mesh. @throws as `deriveMesh`; the signal's reason. */
  async derive(
    settings: DeriveSettings,
    signal?: AbortSignal,
    onProgress?: (progress: NSDFProgress) => void,
  ): Promise<DeriveStats> {
    const { asset } = this;
    const call = { name: 'derive', on: 'node', asset, signal };
    const report = ({ stage, fraction }: { stage: NSDFProgress['stage']; fraction: number }) =>
      onProgress?.({ phase: 'derive', fraction, fieldName: asset.name, ...(stage && { stage }) });
    const result = await this._newest.run(call, (own) =>
      deriveMesh(asset, { ...settings, signal: own, onProgress: report }),
    );
    this.endLevels();
    this._show(toBuffers(result.mesh, result.stats));
    return result.stats;
  }

  /** Shows levels of detail from now on; resolves with the first picture. @throws as `deriveMesh`; the signal's reason. */
  async startLevels(settings: DeriveSettings, lod: LodSettings, signal?: AbortSignal): Promise<void> {
    this.endLevels();
    const store = createFieldLevels<Buffers>(this.asset, settings, lod, {
      build: ({ mesh, stats }: DeriveResult) => toBuffers(mesh, stats),
      free: (buffers) => {
        buffers.isFree = true;
      },
    });
    const selector = new LevelSelector(
      store,
      { levelReady: () => this._showChosen(), levelEvicted: () => this._showChosen(), levelFailed: () => {} },
      lod,
    );
    this._selector = selector;
    store.attach(selector);
    try {
      await store.demand(awaitedLevel(store, lod.waitFor), signal);
    } catch (error) {
      this.endLevels();
      throw error;
    }
    selector.choose();
    this._showChosen();
  }

  /** To be called once a frame and camera. */
  update(eyes: readonly Eye[]): void {
    const selector = this._selector;
    if (!selector) return;
    selector.begin();
    const bounds = this.buffers?.bounds ?? boxOf(this.asset.region ?? this.asset.domain);
    for (const eye of eyes) selector.look(eye, this.matrix, bounds);
    selector.choose();
    this._showChosen();
  }

  endLevels(): void {
    this._selector?.dispose();
    this._selector = null;
  }

  override dispose(): void {
    this._newest.abort('the node was disposed');
    this.endLevels();
    super.dispose();
  }

  private _showChosen(): void {
    const chosen = this.level?.value;
    if (chosen && chosen !== this.buffers) this.buffers = chosen;
  }

  private _show(buffers: Buffers): void {
    if (this.buffers) this.buffers.isFree = true;
    this.buffers = buffers;
  }
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: NSDFProgress) => void;
  /** Where a rough picture is shown while the file arrives. */
  readonly previewIn?: Node;
}

/** Loads `.nsdf` files into this engine's scene graph. */
export class OwnLoader {
  private readonly _settings: FieldSettings;
  private readonly _pending = new Set<AbortController>();

  /** @throws {NsdfArgumentError} for a setting that is none */
  constructor(settings: FieldSettings = {}) {
    refuseUnknownSettings('OwnLoader', settings);
    this._settings = settings;
  }

  /** @throws {NsdfError} of whatever is wrong with the file; the signal's reason. */
  async load(url: string, { signal, onProgress, previewIn }: LoadOptions = {}): Promise<Node> {
    const { controller, release } = linkedController([signal]);
    const tables = new TableStore({ isPatient: true });
    const preview = previewIn && this._preview(previewIn, controller.signal, tables);
    this._pending.add(controller);
    try {
      const bytes = await fetchBytes(url, {
        request: {},
        headers: {},
        signal: controller.signal,
        onPrefix: (received) => preview?.update(received),
        onProgress: (loaded, total) => onProgress?.({ phase: 'download', fraction: total && loaded / total }),
      });
      const building = this.parse(bytes, controller.signal, onProgress);
      return await raceAbort(building, controller.signal, (late) => late.dispose());
    } finally {
      preview?.end();
      release();
      this._pending.delete(controller);
    }
  }

  /** A file's fields as nodes of one root. @throws as `load` */
  async parse(
    bytes: ArrayBuffer,
    signal: AbortSignal,
    onProgress?: LoadOptions['onProgress'],
  ): Promise<Node> {
    const instances = listFields(readNsdf(bytes));
    if (instances.length === 0) throw new NsdfFormatError('the file holds no field');
    const { lod: _lod, output: _output, ...derive } = this._settings;
    const lod = lodOf(this._settings);
    const root = new Node();
    try {
      const nodes = instances.map(async ({ field: { asset, material }, nodeName, matrixWorld }) => {
        const node = new FieldNode(asset);
        Object.assign(node, { name: nodeName, matrix: matrixWorld });
        if (material) node.baseColor = material.baseColorFactor;
        root.children.push(node);
        if (lod) await node.startLevels(derive, lod, signal);
        else await node.derive(derive, signal, onProgress);
      });
      await Promise.all(nodes);
    } catch (error) {
      root.dispose();
      throw error;
    }
    return root;
  }

  /** Ends what it loads. */
  dispose(): void {
    for (const controller of this._pending) {
      controller.abort(new DOMException('the loader was disposed', 'AbortError'));
    }
  }

  private _preview(parent: Node, signal: AbortSignal, tables: TableStore): LazyPreview {
    const shown = new Node();
    const show = (parts: readonly PreviewPart[]): void => {
      shown.dispose();
      shown.children.splice(0);
      for (const { name, positions, normals, indices, matrixWorld } of parts) {
        const mesh = { positions, normals: normals ?? new Float32Array(positions.length), indices };
        shown.children.push(
          Object.assign(new Node(), { name, matrix: matrixWorld, buffers: toBuffers(mesh, null) }),
        );
      }
      if (!parent.children.includes(shown)) parent.children.push(shown);
    };
    const end = (): void => {
      shown.dispose();
      if (parent.children.includes(shown)) parent.children.splice(parent.children.indexOf(shown), 1);
    };
    const settings = this._settings;
    return new LazyPreview(async () => {
      const { FilePreview } = await import('../../src/plugin/file-preview.ts');
      return new FilePreview({ show, end }, { settings, signal, tables });
    });
  }
}
