import {
  BufferAttribute,
  BufferGeometry,
  Group,
  LineBasicMaterial,
  LineSegments,
  type Material,
  type Mesh,
  MeshNormalMaterial,
  type Object3D,
} from 'three';

export type Shading = 'shaded' | 'normals';

/** How what was loaded is drawn: its own materials or its normals, and a wireframe over it. */
export class Appearance {
  /** Goes into the scene beside the content, so that exports stay clean of it. */
  readonly overlay = new Group();
  readonly #normals = new MeshNormalMaterial();
  readonly #lines = new LineBasicMaterial({ color: 0x14181f, transparent: true, opacity: 0.42 });
  readonly #materials = new WeakMap<Object3D, Material | Material[]>();

  /** Applies both settings to every mesh below `root`; call again when geometry was replaced. */
  apply(root: Object3D, shading: Shading, hasWireframe: boolean): void {
    this.#clearOverlay();
    root.updateMatrixWorld(true);
    root.traverse((object) => {
      const mesh = object as Mesh;
      if (!mesh.isMesh) return;
      this.#dress(mesh, shading);
      if (hasWireframe && mesh.visible && mesh.geometry.index?.count)
        this.overlay.add(this.#wireframeOf(mesh));
    });
  }

  /** Gives the meshes their own materials back while `task` runs, for exports. */
  async withOwnMaterials<T>(root: Object3D, shading: Shading, task: () => Promise<T>): Promise<T> {
    this.#dressAll(root, 'shaded');
    try {
      return await task();
    } finally {
      this.#dressAll(root, shading);
    }
  }

  #dressAll(root: Object3D, shading: Shading): void {
    root.traverse((object) => {
      if ((object as Mesh).isMesh) this.#dress(object as Mesh, shading);
    });
  }

  #dress(mesh: Mesh, shading: Shading): void {
    if (!this.#materials.has(mesh)) this.#materials.set(mesh, mesh.material);
    mesh.castShadow = mesh.receiveShadow = true;
    const own = this.#materials.get(mesh) ?? mesh.material;
    mesh.material = shading === 'normals' ? this.#normals : own;
    for (const material of [mesh.material].flat()) {
      // Lets the wireframe's lines win over the surface that they lie in.
      material.polygonOffset = true;
      material.polygonOffsetFactor = material.polygonOffsetUnits = 1;
    }
  }

  #wireframeOf(mesh: Mesh): LineSegments<BufferGeometry, LineBasicMaterial> {
    const lines = new LineSegments(edgesOf(mesh.geometry), this.#lines);
    lines.matrixAutoUpdate = false;
    lines.matrix.copy(mesh.matrixWorld);
    return lines;
  }

  #clearOverlay(): void {
    for (const lines of this.overlay.children as LineSegments[]) lines.geometry.dispose();
    this.overlay.clear();
  }
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
