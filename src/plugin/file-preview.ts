import type { FieldAsset, NsdfFieldInstance, NsdfMaterial, NsdfPrefix } from '../index.ts';
import { deriveMesh, readNsdfPrefix } from '../index.ts';
import type { DeriveSettings } from './derive-settings.ts';

/** What is noted on a preview. */
export interface NSDFPreviewNote {
  readonly isPreview: true;
  /** Grid levels that have arrived, and those that the file has. */
  readonly nLevels: number;
  readonly nLevelsTotal: number;
}

/** One field of a preview, for an engine to draw. */
export interface PreviewPart {
  readonly name: string;
  /** f32[nVertices * 3], local units. */
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
/** Share of the domain's diagonal that a preview's surface may be off its own field: finer shows what isn't there. */
const TOLERANCE_SHARE = 1 / 170;

/**
 * A rough picture of a file while it arrives: its fallback meshes, else the fields with the grid levels that are there,
 * better as more comes.
 */
export class FilePreview {
  readonly #target: PreviewTarget;
  readonly #settings: DeriveSettings;
  /** Of the load that the preview belongs to. */
  readonly #signal: AbortSignal;
  readonly #controller = new AbortController();
  #nextByteLength = 0;
  #nLevelsShown = -1;
  #isBusy = false;
  #waiting: NsdfPrefix | undefined;

  constructor(target: PreviewTarget, settings: DeriveSettings, signal: AbortSignal) {
    this.#target = target;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Looks at the first bytes, where enough have come for more to be seen. */
  update(received: Uint8Array): void {
    if (received.length < this.#nextByteLength) return;
    const prefix = readNsdfPrefix(received);
    if (prefix === null) return;
    // A file that is whole needs no preview: the real thing follows.
    this.#nextByteLength = prefix.nextByteLength ?? Number.POSITIVE_INFINITY;
    const isWhole = prefix.nextByteLength === null;
    if (isWhole) this.#waiting = undefined;
    else if (this.#isBetter(prefix)) this.#waiting = prefix;
    if (this.#waiting && !this.#isBusy) void this.#showWaiting();
  }

  /** Takes the preview out of the scene and frees it. */
  end(): void {
    this.#controller.abort();
    this.#waiting = undefined;
    this.#target.end();
  }

  #isBetter({ fields, nLevels, nLevelsTotal }: NsdfPrefix): boolean {
    if (fields.length === 0) return false;
    if (fields.every(({ field }) => field.fallback !== null)) return this.#nLevelsShown < 0;
    return nLevels > this.#nLevelsShown && nLevels >= LEAST_SHARE * nLevelsTotal;
  }

  /** One after the other; of prefixes that come meanwhile only the last is shown. */
  async #showWaiting(): Promise<void> {
    this.#isBusy = true;
    try {
      for (let prefix = this.#waiting; prefix; prefix = this.#waiting) {
        this.#waiting = undefined;
        const parts = await Promise.all(prefix.fields.map((instance) => this.#makePart(instance)));
        if (this.#controller.signal.aborted || this.#signal.aborted) return;
        this.#show(
          parts.filter((part) => part !== null),
          prefix,
        );
      }
    } catch {
      // A preview that cannot be made is none; what is wrong with the file is told by the load itself.
    } finally {
      this.#isBusy = false;
    }
  }

  async #makePart({ field, matrixWorld }: NsdfFieldInstance): Promise<PreviewPart | null> {
    const surface = field.fallback ?? (await this.#derive(field.asset));
    return surface && { ...surface, name: field.asset.name, material: field.material, matrixWorld };
  }

  async #derive(asset: FieldAsset): Promise<Pick<PreviewPart, 'positions' | 'normals' | 'indices'> | null> {
    const { min, max } = asset.domain;
    const tolerance = TOLERANCE_SHARE * Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
    const { backend = 'auto' } = this.#settings;
    const { signal } = this.#controller;
    const { mesh, isEmpty } = await deriveMesh(asset, { tolerance, backend, signal, cache: false });
    return isEmpty ? null : mesh;
  }

  #show(parts: readonly PreviewPart[], { nLevels, nLevelsTotal }: NsdfPrefix): void {
    if (parts.length === 0) return;
    this.#nLevelsShown = nLevels;
    this.#target.show(parts, { isPreview: true, nLevels, nLevelsTotal });
  }
}
