import { type BufferGeometry, Color, Group, Mesh, MeshStandardMaterial } from 'three';
import type { NsdfMaterial, TableStore } from '../index.ts';
import {
  FilePreview,
  type NSDFPreviewNote,
  type PreviewPart,
  type PreviewTarget,
} from '../plugin/file-preview.ts';
import type { DeriveSettings } from '../plugin/settings.ts';
import { createGeometry } from './geometry.ts';
import { createDefaultMaterial } from './shown-mesh.ts';

/** How a preview is made and who gets it. */
export interface FilePreviewOptions {
  readonly onPreview: (preview: Group) => void;
  readonly settings: DeriveSettings;
  /** The file's coded tables. */
  readonly tables: TableStore;
  /** Of the load that the preview belongs to. */
  readonly controller: AbortController;
}

/** Makes the preview of a load: one group, given out once there is something to see. */
export function createFilePreview({
  onPreview,
  settings,
  tables,
  controller,
}: FilePreviewOptions): FilePreview {
  const source = { settings, tables, signal: controller.signal };
  return new FilePreview(new PreviewGroup(onPreview, controller), source);
}

/** A group whose content gets better as more of the file comes. */
class PreviewGroup implements PreviewTarget {
  private readonly _group = new Group();
  private readonly _onPreview: (preview: Group) => void;
  private readonly _controller: AbortController;
  private _isGiven = false;

  constructor(onPreview: (preview: Group) => void, controller: AbortController) {
    this._onPreview = onPreview;
    this._controller = controller;
  }

  show(parts: readonly PreviewPart[], note: NSDFPreviewNote): void {
    this._empty();
    this._group.add(...parts.map(createMesh));
    this._group.userData.nsdf = note;
    if (!this._isGiven) this._give();
  }

  end(): void {
    this._group.removeFromParent();
    this._empty();
  }

  /** A callback that throws ends its job, as others do. */
  private _give(): void {
    this._isGiven = true;
    try {
      this._onPreview(this._group);
    } catch (error) {
      this._controller.abort(error);
    }
  }

  private _empty(): void {
    for (const child of this._group.children) {
      const { geometry, material } = child as Mesh<BufferGeometry, MeshStandardMaterial>;
      geometry.dispose();
      material.dispose();
    }
    this._group.clear();
  }
}

function createMesh({ name, normals, material, matrixWorld, ...part }: PreviewPart): Mesh {
  const surface = { ...part, normals: normals ?? new Float32Array(part.positions.length) };
  const geometry = createGeometry(surface, name);
  if (normals === null) geometry.computeVertexNormals();
  const isColored = geometry.hasAttribute('color');
  const look = material ? materialOf(material) : createDefaultMaterial(isColored);
  look.vertexColors = isColored;
  const mesh = new Mesh(geometry, look);
  mesh.name = name;
  mesh.matrixAutoUpdate = false;
  mesh.matrix.fromArray(matrixWorld);
  return mesh;
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
