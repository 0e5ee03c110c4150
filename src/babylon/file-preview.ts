import { Material } from '@babylonjs/core/Materials/material.js';
import { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import { Color3 } from '@babylonjs/core/Maths/math.color.js';
import { Matrix, Quaternion } from '@babylonjs/core/Maths/math.vector.js';
import { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { VertexData } from '@babylonjs/core/Meshes/mesh.vertexData.js';
import { TransformNode } from '@babylonjs/core/Meshes/transformNode.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { TableStore } from '../index.ts';
import {
  FilePreview,
  type NSDFPreviewNote,
  type PreviewPart,
  type PreviewTarget,
} from '../plugin/file-preview.ts';
import { DEFAULT_LOOK } from '../plugin/geometry.ts';
import type { DeriveSettings } from '../plugin/settings.ts';
import { createGeometry } from './geometry.ts';

/** How a preview is made and who is told of it. */
export interface FilePreviewOptions {
  readonly scene: Scene;
  readonly onPreview: (root: TransformNode) => void;
  readonly settings: DeriveSettings;
  /** The file's coded tables. */
  readonly tables: TableStore;
  /** Of the load that the preview belongs to. */
  readonly controller: AbortController;
}

/** Makes the preview of a load: meshes of the scene under one root, from the moment there is something to see. */
export function createFilePreview({
  scene,
  onPreview,
  settings,
  tables,
  controller,
}: FilePreviewOptions): FilePreview {
  const source = { settings, tables, signal: controller.signal };
  return new FilePreview(new PreviewRoot(scene, onPreview, controller), source);
}

/** A root whose meshes get better as more of the file comes. */
class PreviewRoot implements PreviewTarget {
  private readonly _scene: Scene;
  private readonly _onPreview: (root: TransformNode) => void;
  private readonly _controller: AbortController;
  private _root: TransformNode | null = null;

  constructor(scene: Scene, onPreview: (root: TransformNode) => void, controller: AbortController) {
    this._scene = scene;
    this._onPreview = onPreview;
    this._controller = controller;
  }

  show(parts: readonly PreviewPart[], note: NSDFPreviewNote): void {
    if (this._scene.isDisposed) return;
    const isFirst = this._root === null;
    const root = this._root ?? createRoot(this._scene);
    this._root = root;
    for (const old of root.getChildMeshes()) old.dispose(false, true);
    for (const part of parts) createMesh(part, this._scene).parent = root;
    root.metadata = { nsdf: note };
    if (isFirst) this._tell(root);
  }

  end(): void {
    this._root?.dispose(false, true);
    this._root = null;
  }

  /** A callback that throws ends its job, as others do. */
  private _tell(root: TransformNode): void {
    try {
      this._onPreview(root);
    } catch (error) {
      this._controller.abort(error);
    }
  }
}

/** Turns glTF's right-handed space into the scene's, as Babylon's glTF loader does. */
function createRoot(scene: Scene): TransformNode {
  const root = new TransformNode('nsdf-preview', scene);
  if (!scene.useRightHandedSystem) {
    root.rotationQuaternion = new Quaternion(0, 1, 0, 0);
    root.scaling.z = -1;
  }
  return root;
}

function createMesh(part: PreviewPart, scene: Scene): Mesh {
  const { name, positions, indices, attributes, matrixWorld } = part;
  const normals = part.normals ?? new Float32Array(positions.length);
  if (part.normals === null) {
    VertexData.ComputeNormals(positions, indices, normals, { useRightHandedSystem: true });
  }
  const mesh = new Mesh(name, scene);
  const surface = { positions, normals, indices, ...(attributes && { attributes }) };
  createGeometry(name, scene, surface).applyToMesh(mesh);
  mesh.setPreTransformMatrix(Matrix.FromArray(matrixWorld));
  mesh.material = createMaterial(part, scene);
  mesh.sideOrientation = scene.useRightHandedSystem
    ? Material.CounterClockWiseSideOrientation
    : Material.ClockWiseSideOrientation;
  return mesh;
}

/** The factors alone: textures come with the file. */
function createMaterial({ material: look, attributes }: PreviewPart, scene: Scene): PBRMaterial {
  const material = new PBRMaterial('nsdf-preview', scene);
  const bare = attributes?.COLOR_0 ? [1, 1, 1] : DEFAULT_LOOK.baseColor;
  const [r, g, b] = look?.baseColorFactor ?? bare;
  material.albedoColor = new Color3(r, g, b);
  material.metallic = look?.metallicFactor ?? DEFAULT_LOOK.metalness;
  material.roughness = look?.roughnessFactor ?? DEFAULT_LOOK.roughness;
  return material;
}
