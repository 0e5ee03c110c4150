import { type BufferGeometry, Color, Group, Mesh, MeshStandardMaterial } from 'three';
import type { FieldAsset, NsdfField, NsdfFieldInstance, NsdfMaterial, NsdfPrefix } from '../index.ts';
import { deriveMesh, readNsdfPrefix } from '../index.ts';
import type { DeriveSettings } from '../plugin/derive-settings.ts';
import { createDefaultMaterial } from './default-material.ts';
import { createGeometry } from './geometry.ts';

/** What `userData.nsdf` holds on a preview. */
export interface NSDFPreviewNote {
  readonly isPreview: true;
  /** Grid levels that have arrived, and those that the file has. */
  readonly nLevels: number;
  readonly nLevelsTotal: number;
}

/** How a preview is made and who gets it. */
export interface FilePreviewOptions {
  readonly onPreview: (preview: Group) => void;
  readonly settings: DeriveSettings;
  /** Of the load that the preview belongs to. */
  readonly controller: AbortController;
}

/** Share of a file's levels without which its field looks like nothing: bunny-S is no bunny with one of four. */
const LEAST_SHARE = 0.5;
/** Share of the domain's diagonal that a preview's surface may be off its own field: finer shows what isn't there. */
const TOLERANCE_SHARE = 1 / 170;

/**
 * A rough picture of a file while it arrives: its fallback meshes, else the fields with the grid levels that are there.
 * One group, given out once there is something to see, whose content gets better as more comes.
 */
export class FilePreview {
  readonly group = new Group();
  readonly #options: FilePreviewOptions;
  readonly #controller = new AbortController();
  #nextByteLength = 0;
  #nLevelsShown = -1;
  #isGiven = false;
  #isBusy = false;
  #waiting: NsdfPrefix | undefined;

  constructor(options: FilePreviewOptions) {
    this.#options = options;
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
    this.group.removeFromParent();
    this.#empty();
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
        if (this.#isEnded) return;
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

  get #isEnded(): boolean {
    return this.#controller.signal.aborted || this.#options.controller.signal.aborted;
  }

  async #makePart({ field, matrixWorld }: NsdfFieldInstance): Promise<Mesh | null> {
    const geometry = field.fallback ? fallbackGeometry(field) : await this.#derive(field.asset);
    if (geometry === null) return null;
    const mesh = new Mesh(geometry, field.material ? materialOf(field.material) : createDefaultMaterial());
    mesh.name = field.asset.name;
    mesh.matrixAutoUpdate = false;
    mesh.matrix.fromArray(matrixWorld);
    return mesh;
  }

  async #derive(asset: FieldAsset): Promise<BufferGeometry | null> {
    const { min, max } = asset.domain;
    const tolerance = TOLERANCE_SHARE * Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]);
    const { backend = 'auto' } = this.#options.settings;
    const { signal } = this.#controller;
    const { mesh, isEmpty } = await deriveMesh(asset, { tolerance, backend, signal, cache: false });
    return isEmpty ? null : createGeometry(mesh, asset.name);
  }

  #show(parts: readonly Mesh[], { nLevels, nLevelsTotal }: NsdfPrefix): void {
    if (parts.length === 0) return;
    this.#empty();
    this.group.add(...parts);
    const note: NSDFPreviewNote = { isPreview: true, nLevels, nLevelsTotal };
    this.group.userData.nsdf = note;
    this.#nLevelsShown = nLevels;
    if (!this.#isGiven) this.#give();
  }

  /** A callback that throws ends its job, as others do. */
  #give(): void {
    this.#isGiven = true;
    try {
      this.#options.onPreview(this.group);
    } catch (error) {
      this.#options.controller.abort(error);
    }
  }

  #empty(): void {
    for (const child of this.group.children) {
      const { geometry, material } = child as Mesh<BufferGeometry, MeshStandardMaterial>;
      geometry.dispose();
      material.dispose();
    }
    this.group.clear();
  }
}

function fallbackGeometry({ fallback, asset }: NsdfField): BufferGeometry | null {
  if (fallback === null) return null;
  const normals = fallback.normals ?? new Float32Array(fallback.positions.length);
  const geometry = createGeometry({ ...fallback, normals }, asset.name);
  if (fallback.normals === null) geometry.computeVertexNormals();
  return geometry;
}

/** The factors alone: textures come with the file. */
function materialOf({
  baseColorFactor,
  metallicFactor,
  roughnessFactor,
}: NsdfMaterial): MeshStandardMaterial {
  const [r, g, b] = baseColorFactor;
  return new MeshStandardMaterial({
    color: new Color(r, g, b),
    metalness: metallicFactor,
    roughness: roughnessFactor,
  });
}
