import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { SurfaceMesh } from '../index.ts';
import { createGeometry } from './geometry.ts';

/**
 * A level that is coarser than what the meshes themselves show: its geometry, and for every mesh that can show it one
 * of Babylon's level meshes. They stay out of the scene's lists, so that nobody counts, picks or exports them.
 */
export class LevelMeshes {
  readonly #scene: Scene;
  readonly #name: string;
  readonly #geometry: Geometry;
  readonly #shown = new Map<Mesh, Mesh>();

  constructor(name: string, scene: Scene, surface: SurfaceMesh) {
    this.#name = name;
    this.#scene = scene;
    this.#geometry = createGeometry(name, scene, surface);
  }

  /** Lets a mesh show this level where it covers less than that part of the view, and keeps its looks up to date. */
  update(mesh: Mesh, coverage: number): void {
    const shown = this.#shown.get(mesh) ?? this.#create(mesh);
    shown.material = mesh.material;
    shown.receiveShadows = mesh.receiveShadows;
    shown.visibility = mesh.visibility;
    const level = mesh.getLODLevels().find((candidate) => candidate.mesh === shown);
    if (level) level.distanceOrScreenCoverage = coverage;
    else mesh.addLODLevel(coverage, shown);
  }

  /** Takes the level off a mesh. */
  remove(mesh: Mesh): void {
    const shown = this.#shown.get(mesh);
    if (!shown) return;
    this.#shown.delete(mesh);
    mesh.removeLODLevel(shown);
    shown.dispose();
  }

  /** Takes the level off every mesh and frees its geometry. */
  dispose(): void {
    for (const mesh of [...this.#shown.keys()]) this.remove(mesh);
    this.#geometry.dispose();
  }

  #create(mesh: Mesh): Mesh {
    const scene = this.#scene;
    const wasBlocked = scene._blockEntityCollection;
    scene._blockEntityCollection = true;
    const shown = new Mesh(`${mesh.name}.${this.#name}`, scene);
    this.#geometry.applyToMesh(shown);
    scene._blockEntityCollection = wasBlocked;
    shown.sideOrientation = mesh.sideOrientation;
    this.#shown.set(mesh, shown);
    return shown;
  }
}
