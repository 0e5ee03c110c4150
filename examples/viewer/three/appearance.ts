import {
  BufferAttribute,
  BufferGeometry,
  Group,
  LineBasicMaterial,
  LineSegments,
  type Material,
  type Mesh,
  MeshNormalMaterial,
  MeshStandardMaterial,
  type Object3D,
  type Plane,
} from 'three';
import type { NSDFObject } from '../../../src/three/index.ts';
import { levelColor, type Shading } from '../stage.ts';

/** How what was loaded is drawn: its own materials, its normals or its levels, and a wireframe over it. */
export class Appearance {
  /** Goes into the scene beside the content, so that exports stay clean of it. */
  readonly overlay = new Group();
  readonly #normals = new MeshNormalMaterial();
  readonly #lines = new LineBasicMaterial({ color: 0x14181f, transparent: true, opacity: 0.42 });
  readonly #tints = new Map<string, MeshStandardMaterial>();
  /** The materials that meshes came with. */
  readonly #materials = new WeakMap<Object3D, Material | Material[]>();
  #shading: Shading = 'shaded';
  #planes: Plane[] = [];

  /** Applies both settings to every mesh below `root`; call again when geometry was replaced. */
  apply(root: Object3D, shading: Shading, hasWireframe: boolean): void {
    this.#shading = shading;
    for (const lines of this.overlay.children as LineSegments[]) lines.geometry.dispose();
    this.overlay.clear();
    root.updateMatrixWorld(true);
    for (const mesh of meshesOf(root)) {
      this.#dress(mesh, shading);
      if (hasWireframe && mesh.visible && mesh.geometry.index?.count)
        this.overlay.add(this.#wireframeOf(mesh));
    }
  }

  /** Cuts the meshes, on WebGLRenderer; WebGPURenderer takes the planes from the group that they are in. */
  clip(root: Object3D, planes: Plane[]): void {
    this.#planes = planes;
    for (const mesh of meshesOf(root)) this.#dress(mesh, this.#shading);
    this.#lines.clippingPlanes = planes;
  }

  /** Gives the meshes their own materials back while `task` runs, for exports. */
  async withOwnMaterials<T>(root: Object3D, task: () => Promise<T>): Promise<T> {
    for (const mesh of meshesOf(root)) this.#dress(mesh, 'shaded');
    try {
      return await task();
    } finally {
      for (const mesh of meshesOf(root)) this.#dress(mesh, this.#shading);
    }
  }

  #dress(mesh: Mesh, shading: Shading): void {
    if (!this.#materials.has(mesh)) this.#materials.set(mesh, mesh.material);
    mesh.castShadow = mesh.receiveShadow = true;
    mesh.material = this.#materialFor(mesh, shading);
    for (const material of [mesh.material].flat()) {
      material.clippingPlanes = this.#planes;
      // Lets the wireframe's lines win over the surface that they lie in.
      material.polygonOffset = true;
      material.polygonOffsetFactor = material.polygonOffsetUnits = 1;
    }
  }

  #materialFor(mesh: Mesh, shading: Shading): Material | Material[] {
    if (shading === 'normals') return this.#normals;
    if (shading === 'shaded') return this.#materials.get(mesh) ?? mesh.material;
    const field = mesh.parent as Partial<NSDFObject> | null;
    const color = levelColor(field?.isNSDFObject ? (field as NSDFObject) : { level: null, ladder: [] });
    const tint = this.#tints.get(color) ?? new MeshStandardMaterial({ color, roughness: 0.7 });
    this.#tints.set(color, tint);
    return tint;
  }

  #wireframeOf(mesh: Mesh): LineSegments<BufferGeometry, LineBasicMaterial> {
    const lines = new LineSegments(edgesOf(mesh.geometry), this.#lines);
    // The mesh's own matrix: the lines go along where an animation moves it.
    lines.matrixWorldAutoUpdate = false;
    lines.matrixWorld = mesh.matrixWorld;
    return lines;
  }
}

function meshesOf(root: Object3D): Mesh[] {
  const meshes: Mesh[] = [];
  root.traverse((object) => {
    if ((object as Mesh).isMesh) meshes.push(object as Mesh);
  });
  return meshes;
}

/** Every edge once: in a closed oriented mesh each occurs in both directions, of which one ascends. */
function edgesOf(geometry: BufferGeometry): BufferGeometry {
  const index = geometry.index?.array ?? [];
  const ends: number[] = [];
  for (let i = 0; i < index.length; i++) {
    const from = index[i];
    const to = index[i % 3 === 2 ? i - 2 : i + 1];
    if (from < to) ends.push(from, to);
  }
  // A copy: disposing of the lines must not free the mesh's own buffer.
  const positions = Float32Array.from(geometry.getAttribute('position').array);
  const edges = new BufferGeometry();
  edges.setAttribute('position', new BufferAttribute(positions, 3));
  edges.setIndex(ends);
  return edges;
}
