import type { Box3, Vec3 } from '../format/asset.ts';
import type { DeriveOptions } from '../options.ts';
import type { DeriveStats } from './figures.ts';
import type { SurfaceStats } from './steps.ts';

/** A derived surface in GPU buffers that engines draw from; they belong to whoever asked for them. */
export interface GpuMeshBuffers {
  /** f32[nVertices * 3], local units, relative to the origin where there is one; VERTEX. */
  readonly positions: GPUBuffer;
  /** f32[nVertices * 3], unit length; VERTEX. */
  readonly normals: GPUBuffer;
  /** u32[nTriangles * 3], counter-clockwise seen from outside; INDEX. */
  readonly indices: GPUBuffer;
  /** u32[5], the arguments of `drawIndexedIndirect`; INDIRECT. */
  readonly drawArguments: GPUBuffer;
  readonly nVertices: number;
  readonly nTriangles: number;
  /** Of the positions; undefined where there is nothing to draw. */
  readonly bounds: Box3 | undefined;
  /** Frees the buffers. */
  readonly dispose: () => void;
}

/** What the GPU's part of the derivation gives. */
export interface GpuBuffers extends GpuMeshBuffers {
  readonly stats: SurfaceStats;
  /** On what adapter, and how. */
  readonly where: string;
}

/** What {@link deriveGpuMesh} returns. */
export interface GpuMesh extends GpuMeshBuffers {
  /** As `SurfaceMesh.origin`. */
  readonly origin?: Vec3;
  readonly stats: DeriveStats;
}

/** The detail of a mesh that stays on the GPU, and the device that it is for. */
export interface GpuMeshOptions
  extends Pick<
    DeriveOptions,
    'tolerance' | 'resolution' | 'region' | 'origin' | 'blocks' | 'signal' | 'onProgress'
  > {
  readonly device: GPUDevice;
}
