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
