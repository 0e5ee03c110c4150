import { VertexBuffer } from '@babylonjs/core/Buffers/buffer.js';
import { DataBuffer } from '@babylonjs/core/Buffers/dataBuffer.js';
import { BoundingInfo } from '@babylonjs/core/Culling/boundingInfo.js';
import type { AbstractEngine } from '@babylonjs/core/Engines/abstractEngine.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { DeriveOptions, FieldAsset, GpuMesh } from '../index.ts';
import { deriveForGpu } from '../plugin/gpu-output.ts';
import { type DerivedSurface, fillGeometry } from './geometry.ts';
import { deviceOf } from './scene.ts';

/** A GPU buffer of ours as Babylon refers to one: released by its engine with the geometry that has it. */
class OwnBuffer extends DataBuffer {
  private readonly _buffer: GPUBuffer;

  constructor(buffer: GPUBuffer, is32Bits = false) {
    super();
    this._buffer = buffer;
    this.references = 1;
    this.capacity = buffer.size;
    this.is32Bits = is32Bits;
  }

  override get underlyingResource(): GPUBuffer {
    return this._buffer;
  }
}

/** Babylon's own bounds of a geometry whose vertices it does not have; its glTF loader sets them, too. */
interface BoundedGeometry {
  _boundingInfo: BoundingInfo | null;
}

/**
 * Derives a surface that stays on the engine's device, or reads it back: see `FieldSettings.output`.
 * @throws what `deriveMesh` throws
 */
export async function deriveGpuSurface(
  asset: FieldAsset,
  options: DeriveOptions,
  engine: AbstractEngine,
): Promise<DerivedSurface> {
  const place = deviceOf(engine) ?? 'the engine draws with WebGL';
  const output = await deriveForGpu(asset, options, place);
  if ('onGpu' in output) return describe(output.onGpu);
  const { mesh, stats, isEmpty } = output.readBack;
  return { stats, isEmpty, fill: (target) => fillGeometry(target, mesh), discard: () => {} };
}

function describe(mesh: GpuMesh): DerivedSurface {
  const { stats } = mesh;
  const isEmpty = mesh.nTriangles === 0;
  const fill = (geometry: Geometry): void => {
    if (!isEmpty) {
      adopt(geometry, mesh);
      return;
    }
    mesh.dispose();
    fillGeometry(geometry, NOTHING);
  };
  return { stats, isEmpty, fill, discard: mesh.dispose };
}

const NOTHING = { positions: new Float32Array(0), normals: new Float32Array(0), indices: new Uint32Array(0) };

/** Has a geometry draw from the mesh's buffers, which are the engine's to free from then on. */
function adopt(geometry: Geometry, mesh: GpuMesh): void {
  const { nVertices, nTriangles, bounds } = mesh;
  if (bounds) {
    (geometry as unknown as BoundedGeometry)._boundingInfo = new BoundingInfo(
      new Vector3(...bounds.min),
      new Vector3(...bounds.max),
    );
  }
  geometry.useBoundingInfoFromGeometry = true;
  // Babylon keeps the old index buffer where another one is set; that of no indices it lets go.
  if (geometry.getTotalIndices() > 0) geometry.setIndices([], 0);
  geometry.setVerticesBuffer(vertexBuffer(geometry, VertexBuffer.NormalKind, mesh.normals), nVertices);
  geometry.setVerticesBuffer(vertexBuffer(geometry, VertexBuffer.PositionKind, mesh.positions), nVertices);
  geometry.setIndexBuffer(new OwnBuffer(mesh.indices, true), nVertices, 3 * nTriangles, true);
  // Babylon draws with the counts that it knows.
  mesh.drawArguments.destroy();
}

function vertexBuffer(geometry: Geometry, kind: string, buffer: GPUBuffer): VertexBuffer {
  return new VertexBuffer(geometry.getEngine(), new OwnBuffer(buffer), kind, {
    size: 3,
    stride: 3,
    type: VertexBuffer.FLOAT,
  });
}
