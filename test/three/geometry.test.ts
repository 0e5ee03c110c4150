import { Box3, Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import { createGeometry } from '../../src/three/geometry.ts';

const TETRAHEDRON = {
  positions: new Float32Array([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4]),
  normals: new Float32Array([-1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
  indices: new Uint32Array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3]),
};

/** A fan of n vertices; only its size matters. */
function meshOf(nVertices: number) {
  const positions = new Float32Array(nVertices * 3);
  return { positions, normals: positions, indices: new Uint32Array([0, 1, nVertices - 1]) };
}

describe('createGeometry', () => {
  it('takes the mesh arrays as they are, three numbers a vertex', () => {
    const geometry = createGeometry(TETRAHEDRON, 'tetrahedron');
    expect(geometry.name).toBe('tetrahedron');
    expect(geometry.getAttribute('position').array).toBe(TETRAHEDRON.positions);
    expect(geometry.getAttribute('normal').array).toBe(TETRAHEDRON.normals);
    expect(geometry.getAttribute('position').itemSize).toBe(3);
    expect([...geometry.index!.array]).toEqual([...TETRAHEDRON.indices]);
  });

  it('sets a box and a sphere that hold every vertex', () => {
    const geometry = createGeometry(TETRAHEDRON);
    expect(geometry.boundingBox).toEqual(new Box3(new Vector3(0, 0, 0), new Vector3(2, 1, 4)));
    const { center, radius } = geometry.boundingSphere!;
    expect(center.toArray()).toEqual([1, 0.5, 2]);
    const distances = [0, 1, 2, 3].map((i) =>
      center.distanceTo(new Vector3().fromArray(TETRAHEDRON.positions, i * 3)),
    );
    expect(radius).toBeCloseTo(Math.max(...distances), 12);
  });

  it('indexes with 16 bits up to 65,535 vertices and with 32 above', () => {
    expect(createGeometry(meshOf(65535)).index!.array).toBeInstanceOf(Uint16Array);
    expect(createGeometry(meshOf(65536)).index!.array).toBeInstanceOf(Uint32Array);
    expect([...createGeometry(meshOf(65535)).index!.array]).toEqual([0, 1, 65534]);
  });

  it('gives an empty surface an empty box and a sphere without extent', () => {
    const none = new Float32Array(0);
    const geometry = createGeometry({ positions: none, normals: none, indices: new Uint32Array(0) });
    expect(geometry.boundingBox!.isEmpty()).toBe(true);
    expect(geometry.boundingSphere!.radius).toBe(0);
    expect(geometry.index!.count).toBe(0);
  });
});
