import type { FieldAsset, Vec3 } from './asset.ts';

/** A coarse triangle mesh that stands in for a field in viewers that don't know the extension. */
export interface FallbackMesh {
  /** f32[nVertices * 3], local units. */
  readonly positions: Float32Array;
  /** f32[nVertices * 3], or null. */
  readonly normals: Float32Array | null;
  /** u32[nTriangles * 3] */
  readonly indices: Uint32Array;
}

/** glTF's metallic-roughness factors; textures are left to the engines' own loaders. */
export interface NsdfMaterial {
  readonly name: string;
  readonly baseColorFactor: readonly [r: number, g: number, b: number, a: number];
  readonly metallicFactor: number;
  readonly roughnessFactor: number;
  readonly emissiveFactor: readonly [r: number, g: number, b: number];
  readonly alphaMode: 'OPAQUE' | 'MASK' | 'BLEND';
  readonly alphaCutoff: number;
  readonly doubleSided: boolean;
}

/** glTF's default material. */
export const DEFAULT_MATERIAL: NsdfMaterial = {
  name: '',
  baseColorFactor: [1, 1, 1, 1],
  metallicFactor: 1,
  roughnessFactor: 1,
  emissiveFactor: [0, 0, 0],
  alphaMode: 'OPAQUE',
  alphaCutoff: 0.5,
  doubleSided: false,
};

/** One primitive that carries a field. */
export interface NsdfField {
  readonly asset: FieldAsset;
  readonly fallback: FallbackMesh | null;
  readonly material: NsdfMaterial | null;
  /** As stored in the file, lower-case hexadecimal; not checked on reading (`verifyNsdf` does). */
  readonly sha256: string | null;
}

/** The fields of one glTF mesh. Nodes that share a mesh share this object. */
export interface NsdfMesh {
  readonly name: string;
  readonly fields: readonly NsdfField[];
}

/** A node of the scene graph: either `matrix`, or translation, rotation and scale applied in glTF's order. */
export interface NsdfNode {
  readonly name: string;
  /** Column-major 4x4, or null; where it is given, translation, rotation and scale are the identity. */
  readonly matrix: readonly number[] | null;
  readonly translation: Vec3;
  /** Unit quaternion xyzw. */
  readonly rotation: readonly [x: number, y: number, z: number, w: number];
  readonly scale: Vec3;
  readonly mesh: NsdfMesh | null;
  readonly children: readonly NsdfNode[];
}

/** What a `.nsdf` file holds: the graph of its default scene. */
export interface NsdfScene {
  readonly name: string;
  readonly copyright: string | null;
  readonly generator: string | null;
  /** Root nodes. */
  readonly nodes: readonly NsdfNode[];
}

/** A node at the origin. */
export const IDENTITY_NODE: NsdfNode = {
  name: '',
  matrix: null,
  translation: [0, 0, 0],
  rotation: [0, 0, 0, 1],
  scale: [1, 1, 1],
  mesh: null,
  children: [],
};

/** A field where the scene puts it. */
export interface NsdfFieldInstance {
  readonly field: NsdfField;
  readonly nodeName: string;
  /** Column-major 4x4, local to scene; a negative determinant turns triangles inside out. */
  readonly matrixWorld: readonly number[];
}

/** Column-major. */
export const IDENTITY_MATRIX: readonly number[] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** Every field of the scene graph with its world matrix, in the order of the graph: for uses without an engine. */
export function listFields(scene: NsdfScene): NsdfFieldInstance[] {
  const visit = (node: NsdfNode, parent: readonly number[]): NsdfFieldInstance[] => {
    const matrixWorld = multiply(parent, matrixOf(node));
    const own = (node.mesh?.fields ?? []).map((field) => ({ field, nodeName: node.name, matrixWorld }));
    return [...own, ...node.children.flatMap((child) => visit(child, matrixWorld))];
  };
  return scene.nodes.flatMap((node) => visit(node, IDENTITY_MATRIX));
}

/** What of a node says where it stands in its parent. */
export type NodePlace = Pick<NsdfNode, 'matrix' | 'translation' | 'rotation' | 'scale'>;

/** A node's own matrix: as given, else translation * rotation * scale. Column-major. */
export function matrixOf({ matrix, translation, rotation, scale }: NodePlace): readonly number[] {
  if (matrix !== null) return matrix;
  const [x, y, z, w] = rotation;
  const [sx, sy, sz] = scale;
  return [
    (1 - 2 * (y * y + z * z)) * sx,
    2 * (x * y + z * w) * sx,
    2 * (x * z - y * w) * sx,
    0,
    2 * (x * y - z * w) * sy,
    (1 - 2 * (x * x + z * z)) * sy,
    2 * (y * z + x * w) * sy,
    0,
    2 * (x * z + y * w) * sz,
    2 * (y * z - x * w) * sz,
    (1 - 2 * (x * x + y * y)) * sz,
    0,
    ...translation,
    1,
  ];
}

export function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, i) => {
    const [row, column] = [i % 4, i >> 2];
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += a[row + 4 * k] * b[k + 4 * column];
    return sum;
  });
}
