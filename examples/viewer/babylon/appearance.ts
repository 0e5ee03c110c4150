import type { Material } from '@babylonjs/core/Materials/material.js';
import { PBRMaterial } from '@babylonjs/core/Materials/PBR/pbrMaterial.js';
import { StandardMaterial } from '@babylonjs/core/Materials/standardMaterial.js';
import { Color3 } from '@babylonjs/core/Maths/math.color.js';
import type { Plane } from '@babylonjs/core/Maths/math.plane.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import { nsdfOf } from '../../../src/babylon/index.ts';
import { levelColor, type Shading } from '../stage.ts';

/** Babylon's view of a shader from within: the interpolated normals, as colours. */
const DEBUG_NORMALS = 2;

/** How what was loaded is drawn: its own materials, its normals or its levels, and a wireframe over it. */
export class Appearance {
  readonly #scene: Scene;
  readonly #normals: PBRMaterial;
  readonly #lines: StandardMaterial;
  readonly #tints = new Map<string, PBRMaterial>();
  /** The materials that meshes came with. */
  readonly #materials = new WeakMap<AbstractMesh, Material | null>();
  #overlay: Mesh[] = [];
  #shading: Shading = 'shaded';
  #hasWireframe = false;
  #plane: Plane | null = null;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#normals = new PBRMaterial('normals', scene);
    this.#normals.debugMode = DEBUG_NORMALS;
    this.#normals.debugLimit = -1;
    this.#normals.debugFactor = 1;
    this.#lines = new StandardMaterial('lines', scene);
    this.#lines.wireframe = true;
    this.#lines.disableLighting = true;
    this.#lines.emissiveColor = Color3.FromHexString('#14181f');
    this.#lines.alpha = 0.28;
    // Towards the eye, so that the lines win over the surface that they lie in.
    this.#lines.zOffset = -1;
  }

  /** Applies both settings to the meshes; call again when geometry was replaced. */
  apply(meshes: readonly AbstractMesh[], shading: Shading, hasWireframe: boolean): void {
    this.#shading = shading;
    this.#hasWireframe = hasWireframe;
    this.#dressAll(meshes, shading, hasWireframe);
  }

  /** Cuts the meshes at a plane, or no longer. */
  clip(meshes: readonly AbstractMesh[], plane: Plane | null): void {
    this.#plane = plane;
    this.#lines.clipPlane = plane;
    this.#dressAll(meshes, this.#shading, this.#hasWireframe);
  }

  /** Gives the meshes their own materials back, and nothing else, while `task` runs: for exports. */
  async withOwnMaterials<T>(meshes: readonly AbstractMesh[], task: () => Promise<T>): Promise<T> {
    this.#dressAll(meshes, 'shaded', false);
    try {
      return await task();
    } finally {
      this.#dressAll(meshes, this.#shading, this.#hasWireframe);
    }
  }

  #dressAll(meshes: readonly AbstractMesh[], shading: Shading, hasWireframe: boolean): void {
    for (const lines of this.#overlay.splice(0)) lines.dispose();
    for (const mesh of meshes) {
      if (!mesh.geometry) continue;
      this.#dress(mesh, shading);
      if (hasWireframe && mesh.getTotalIndices() > 0) this.#overlay.push(this.#wireframeOf(mesh));
    }
  }

  /** An instance is drawn as its source is. */
  #dress(mesh: AbstractMesh, shading: Shading): void {
    if (mesh.isAnInstance) return;
    if (!this.#materials.has(mesh)) this.#materials.set(mesh, mesh.material);
    mesh.material = this.#materialFor(mesh, shading);
    if (mesh.material) mesh.material.clipPlane = this.#plane;
    mesh.receiveShadows = true;
  }

  #materialFor(mesh: AbstractMesh, shading: Shading): Material | null {
    if (shading === 'normals') return this.#normals;
    if (shading === 'shaded') return this.#materials.get(mesh) ?? null;
    const color = levelColor(nsdfOf(mesh) ?? { level: null, ladder: [] });
    const tint = this.#tints.get(color) ?? new PBRMaterial(`level ${color}`, this.#scene);
    tint.albedoColor = Color3.FromHexString(color).toLinearSpace();
    tint.metallic = 0;
    tint.roughness = 0.7;
    this.#tints.set(color, tint);
    return tint;
  }

  #wireframeOf(mesh: AbstractMesh): Mesh {
    const lines = new Mesh('lines', this.#scene);
    mesh.geometry?.applyToMesh(lines);
    lines.parent = mesh;
    lines.material = this.#lines;
    lines.isPickable = false;
    return lines;
  }
}
