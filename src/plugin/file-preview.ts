import type {
  FallbackMesh,
  FieldAsset,
  NsdfFieldInstance,
  NsdfMaterial,
  NsdfPrefix,
  SurfaceMesh,
  TableStore,
  Vec3,
} from '../index.ts';
import { deriveMesh, loadNsdfPrefix, readNsdfPrefix } from '../index.ts';
import { type DeriveSettings, loadOptionsOf } from './settings.ts';

/** What is noted on a preview. */
export interface NSDFPreviewNote {
  readonly isPreview: true;
  /** Grid levels that have arrived, and those that the file has. */
  readonly nLevels: number;
  readonly nLevelsTotal: number;
}

/** One field of a preview, for an engine to draw. */
export interface PreviewPart extends Pick<SurfaceMesh, 'attributes'> {
  readonly name: string;
  /** f32[nVertices * 3], local units, or relative to what `matrixWorld` begins with. */
  readonly positions: Float32Array;
  /** Null where the engine has to compute them. */
  readonly normals: Float32Array | null;
  readonly indices: Uint32Array;
  /** Its factors alone are meant: textures come with the file. Null for the plugin's own material. */
  readonly material: NsdfMaterial | null;
  /** Column-major 4x4, local to the file's scene. */
  readonly matrixWorld: readonly number[];
}

/** What an engine does with a preview. */
export interface PreviewTarget {
  /** Draws these parts instead of those before. */
  show(parts: readonly PreviewPart[], note: NSDFPreviewNote): void;
  /** Takes the preview out of the scene and frees it. */
  end(): void;
}

/** Share of a file's levels without which its field looks like nothing: bunny-S is no bunny with one of four. */
const LEAST_SHARE = 0.5;
/** A preview's detail, the domain's longest side / 96: finer shows what isn't there. */
const RESOLUTION = 12;

/** What a preview is made of, and how. */
interface PreviewSource {
  readonly settings: DeriveSettings;
  /** Of the load that the preview belongs to. */
  readonly signal: AbortSignal;
  /** The file's, which the load goes on with. */
  readonly tables: TableStore;
}

/** First bytes, and what they tell: fields whose tables are still to be decoded are not among it. */
interface ArrivedPrefix {
  readonly received: Uint8Array;
  readonly prefix: NsdfPrefix;
  readonly isDecoded: boolean;
}

/**
 * A rough picture of a file while it arrives: its fallback meshes, else the fields with the grid levels that are there,
 * better as more comes.
 */
export class FilePreview {
  private readonly _target: PreviewTarget;
  private readonly _settings: DeriveSettings;
  /** Of the load that the preview belongs to. */
  private readonly _signal: AbortSignal;
  private readonly _tables: TableStore;
  private readonly _controller = new AbortController();
  private _nextByteLength = 0;
  private _nLevelsShown = -1;
  private _isBusy = false;
  private _waiting: ArrivedPrefix | undefined;

  constructor(target: PreviewTarget, { settings, signal, tables }: PreviewSource) {
    this._target = target;
    this._settings = settings;
    this._signal = signal;
    this._tables = tables;
  }

  /** Looks at the first bytes, where enough have come for more to be seen. */
  update(received: Uint8Array): void {
    if (received.length < this._nextByteLength) return;
    const prefix = readNsdfPrefix(received, this._tables);
    if (prefix === null) return;
    // A file that is whole needs no preview: the real thing follows.
    this._nextByteLength = prefix.nextByteLength ?? Number.POSITIVE_INFINITY;
    const isWhole = prefix.nextByteLength === null;
    if (isWhole) this._waiting = undefined;
    else {
      const isDecoded = !this._tables.isMissingSome;
      if (!isDecoded || this._isBetter(prefix)) this._waiting = { received, prefix, isDecoded };
    }
    if (this._waiting && !this._isBusy) void this._showWaiting();
  }

  /** Takes the preview out of the scene and frees it. */
  end(): void {
    this._controller.abort();
    this._waiting = undefined;
    this._target.end();
  }

  private _isBetter({ fields, nLevels, nLevelsTotal }: NsdfPrefix): boolean {
    if (fields.length === 0) return false;
    if (fields.every(({ field }) => field.fallback !== null)) return this._nLevelsShown < 0;
    return nLevels > this._nLevelsShown && nLevels >= LEAST_SHARE * nLevelsTotal;
  }

  /** One after the other; of prefixes that come meanwhile only the last is shown. */
  private async _showWaiting(): Promise<void> {
    this._isBusy = true;
    try {
      for (let waiting = this._waiting; waiting; waiting = this._waiting) {
        this._waiting = undefined;
        const prefix = waiting.isDecoded ? waiting.prefix : await this._decode(waiting.received);
        if (prefix === null || !this._isBetter(prefix)) continue;
        const parts = await Promise.all(prefix.fields.map((instance) => this._makePart(instance)));
        if (this._controller.signal.aborted || this._signal.aborted) return;
        this._show(
          parts.filter((part) => part !== null),
          prefix,
        );
      }
    } catch {
      // A preview that cannot be made is none; what is wrong with the file is told by the load itself.
    } finally {
      this._isBusy = false;
    }
  }

  private _decode(received: Uint8Array): Promise<NsdfPrefix | null> {
    const { signal } = this._controller;
    return loadNsdfPrefix(received, loadOptionsOf(this._settings, signal, this._tables));
  }

  private async _makePart({ field, matrixWorld }: NsdfFieldInstance): Promise<PreviewPart | null> {
    const surface: (FallbackMesh & Pick<SurfaceMesh, 'origin' | 'attributes'>) | null =
      field.fallback ?? (await this._derive(field.asset));
    if (surface === null) return null;
    const { positions, normals, indices, attributes, origin } = surface;
    const look = { name: field.asset.name, material: field.material };
    const mesh = { positions, normals, indices, ...(attributes && { attributes }) };
    return { ...look, ...mesh, matrixWorld: translated(matrixWorld, origin) };
  }

  private async _derive(asset: FieldAsset): Promise<SurfaceMesh | null> {
    const { backend = 'auto' } = this._settings;
    const { signal } = this._controller;
    const { mesh, isEmpty } = await deriveMesh(asset, {
      resolution: RESOLUTION,
      backend,
      signal,
      cache: false,
    });
    return isEmpty ? null : mesh;
  }

  private _show(parts: readonly PreviewPart[], { nLevels, nLevelsTotal }: NsdfPrefix): void {
    if (parts.length === 0) return;
    this._nLevelsShown = nLevels;
    this._target.show(parts, { isPreview: true, nLevels, nLevelsTotal });
  }
}

/** A transform that moves by `origin` before all else: of a mesh whose positions are relative to one. @param e 4x4, column-major. */
export function translated(e: readonly number[], origin: Vec3 | undefined): readonly number[] {
  if (origin === undefined) return e;
  const [x, y, z] = origin;
  const at = (k: number): number => e[k] * x + e[4 + k] * y + e[8 + k] * z + e[12 + k];
  return [...e.slice(0, 12), at(0), at(1), at(2), at(3)];
}
