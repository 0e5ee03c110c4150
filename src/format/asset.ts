/** Three coordinates. */
export type Vec3 = readonly [x: number, y: number, z: number];

/** An axis-aligned box in the asset's local units. */
export interface Box3 {
  readonly min: Vec3;
  readonly max: Vec3;
}

/**
 * One level of the multiresolution grid. With u in the unit cube, `pos = u * scale + offset`, the cell is
 * `floor(pos)` and features are interpolated trilinearly in `pos - floor(pos)`.
 */
export interface GridLevel {
  /** Stride of the dense index x + y*resolution + z*resolution². */
  readonly resolution: number;
  readonly scale: number;
  /** 0.5 in the tiny-cuda-nn convention. */
  readonly offset: number;
  readonly nEntries: number;
  /** Dense index (always modulo nEntries) or the spatial hash of Müller et al. 2022. */
  readonly isDense: boolean;
  /** f32[nEntries * nFeaturesPerLevel], entry-major. */
  readonly params: Float32Array;
}

/** Multiresolution hash grid, tiny-cuda-nn convention; levels are coarse to fine. */
export interface HashGridEncoding {
  readonly kind: 'hash-grid';
  readonly convention: 'tiny-cuda-nn';
  readonly nFeaturesPerLevel: number;
  readonly log2HashmapSize: number;
  readonly levels: readonly GridLevel[];
}

/** No encoder: the MLP reads the three coordinates, local ones or those of the unit cube. */
export interface IdentityEncoding {
  readonly kind: 'none';
  readonly inputSpace: 'local' | 'unit';
  /**
   * Added to local coordinates before the MLP reads them, in double precision: of a field that a derivation has moved to
   * its own middle. No file has it. Absent for none.
   */
  readonly origin?: Vec3;
}

/** One affine layer; ReLU follows every layer but the last. */
export interface MlpLayer {
  readonly nIn: number;
  readonly nOut: number;
  /** f32[nOut * nIn], row-major [nOut, nIn]. */
  readonly weights: Float32Array;
  /** f32[nOut], or null for none. */
  readonly bias: Float32Array | null;
}

/** f = out[plus] - out[minus], or out[plus] where `minus` is null. */
export interface OutputRule {
  readonly plus: number;
  readonly minus: number | null;
}

/**
 * A quantity over the field's domain, evaluated at the vertices of its meshes: the outputs of the last layer, one a
 * component. Its encoder reads points of the field's own domain.
 */
export interface AttributeField {
  readonly encoding: HashGridEncoding | IdentityEncoding;
  readonly layers: readonly MlpLayer[];
}

/** A record of what a derivation finds, made before: `nsdf pack` writes them. They are verified before they are used. */
export interface PackedPartition {
  /** `regions`: the boxes that may hold surface. `surface`: the mesh at one detail. */
  readonly kind: 'regions' | 'surface';
  readonly bytes: Uint8Array;
}

/**
 * A neural signed distance field, parsed and validated: f(p) = sign * valueScale * (out[plus] - out[minus]) with
 * sign = +1 where the file's network is negative inside and -1 where it is positive inside, so that f < 0 inside always.
 * The domain box maps affinely, axis by axis, to the unit cube.
 */
export interface FieldAsset {
  readonly name: string;
  readonly encoding: HashGridEncoding | IdentityEncoding;
  readonly layers: readonly MlpLayer[];
  readonly output: OutputRule;
  readonly isNegativeInside: boolean;
  readonly valueScale: number;
  readonly domain: Box3;
  /** Optional LOD hints: lattice resolutions, coarse to fine. */
  readonly lodResolutions?: readonly number[];
  /** What to derive where the caller asks for no other region: a part of the domain, for tiles of a large field. */
  readonly region?: Box3;
  /** The tolerance to derive with, in local units, where the caller asks for no other detail. */
  readonly tolerance?: number;
  /**
   * What else is known of the surface, by glTF's names: `COLOR_0`, linear RGB or RGBA that is clamped to [0, 1];
   * `_TEMPERATURE` and the like, of one to four numbers. The meshes have them at their vertices.
   */
  readonly attributes?: Readonly<Record<string, AttributeField>>;
  /** What was derived before the field was written, so that nobody has to do it again. */
  readonly partitions?: readonly PackedPartition[];
}
