import { describe, expect, test } from 'vitest';
import { createCpuField } from '../../src/field/cpu-field.ts';
import { Decimator } from '../../src/surface/decimate.ts';
import { MeshEditor } from '../../src/surface/mesh-editor.ts';
import { PartVolumes } from '../../src/surface/part-volumes.ts';
import { planeMlp } from '../fixtures/fields.ts';

interface Part {
  readonly points: readonly (readonly number[])[];
  readonly triangles: readonly number[];
  /** Faces of the box that each vertex lies on. */
  readonly faces?: readonly number[];
}

function editorOf({ points, triangles, faces = [] }: Part) {
  const positions = Float64Array.from(points.flat());
  const indices = Int32Array.from(triangles);
  const masks = new Uint8Array(points.length);
  masks.set(faces);
  return new MeshEditor(positions, points.length, indices, indices.length / 3, masks);
}

function volumeOf(editor: MeshEditor): number {
  const { positions, indices } = editor;
  return editor.liveTriangles().reduce((sum, t) => {
    const [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = [0, 1, 2].map((k) =>
      positions.subarray(indices[t + k] * 3, indices[t + k] * 3 + 3),
    );
    return sum + (ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)) / 6;
  }, 0);
}

describe('a closed part thinner than the tolerance', () => {
  // Two bubbles of an untrained network, whose gradients point all one way: above, below and around.
  const eight: Part = {
    points: [[0, 0, 0], [-0.41, 1, 0], [-0.01, 0.35, -0.06], [0, 0.59, 0], [0.43, 0.16, 0], [0.02, 0.34, -0.05]], // biome-ignore format: one line
    triangles: [0, 1, 2, 1, 3, 2, 3, 4, 2, 4, 0, 2, 3, 1, 5, 1, 0, 5, 0, 4, 5, 4, 3, 5],
  };
  const sixteen: Part = {
    points: [[0, 0, 0], [-0.62, 0.62, 0], [0.01, 0.41, -0.14], [0, 0.91, 0], [0.72, -0.24, 0], [0.68, 0.09, -0.09], [0.72, 0.47, 0], [1, -0.25, 0], [-0.08, 0.49, -0.12], [0.91, 0.1, 0.01]], // biome-ignore format: one line
    triangles: [0, 1, 2, 1, 3, 2, 4, 0, 5, 0, 2, 5, 2, 3, 6, 2, 6, 5, 6, 7, 5, 7, 4, 5, 3, 1, 8, 1, 0, 8, 0, 4, 9, 0, 9, 8, 9, 6, 3, 9, 3, 8, 4, 7, 9, 7, 6, 9], // biome-ignore format: one line
  };

  test.each([
    ['of 8 triangles', eight, [[-0.44, -0.26, -0.86], [0.07, 0.15, -0.99], [0.19, 0.16, -0.97], [0.22, 0.22, -0.95], [0.16, 0.09, -0.98], [0.14, 0.02, -0.99]]], // biome-ignore format: one line
    ['of 16 triangles', sixteen, [[-0.36, -0.48, -0.8], [-0.33, 0.11, -0.94], [-0.11, 0.08, -0.99], [-0.11, 0.3, -0.95], [0.08, -0.55, -0.83], [0.37, 0.17, -0.91], [0.39, 0.46, -0.8], [0.53, 0.16, -0.83], [-0.21, 0.21, -0.96], [0.76, 0.02, -0.65]]], // biome-ignore format: one line
  ])('%s is neither folded flat nor turned inside out', (_what, part, normals) => {
    const editor = editorOf(part);
    const before = volumeOf(editor);
    const ones = new Float64Array(part.points.length).fill(1);
    const field = createCpuField(planeMlp([0, 0, 1], 0));
    const decimator = new Decimator(editor, field, Float64Array.from(normals.flat()), ones, ones);
    for (const _ of decimator.run());
    expect(volumeOf(editor) / before).toBeGreaterThan(0.1);
  });
});

describe('parts that are open on the box', () => {
  // A corner cut off from the box x, y, z > 1: three vertices on two faces each, a tip inside.
  const X = 1;
  const Y = 4;
  const Z = 16;
  const tip: Part = {
    points: [[2, 1, 1], [1, 2, 1], [1, 1, 2], [2, 2, 2]], // biome-ignore format: one line
    triangles: [0, 1, 3, 1, 2, 3, 2, 0, 3],
    faces: [Y | Z, X | Z, X | Y, 0],
  };

  test('are closed by faces that meet, and keep a share of that volume', () => {
    const volumes = PartVolumes.of(editorOf(tip), 0.1);
    expect(volumes.mayMove(3, [1.05, 1.05, 1.05])).toBe(false);
    expect(volumes.mayMove(3, [1.2, 1.2, 1.2])).toBe(true);
  });

  test('count moves that were made', () => {
    const volumes = PartVolumes.of(editorOf(tip), 0.5);
    expect(volumes.mayMove(3, [1.4, 1.4, 1.4])).toBe(false);
    volumes.move(3, [2.5, 2.5, 2.5]);
    expect(volumes.mayMove(3, [1.4, 1.4, 1.4])).toBe(true);
  });

  test('are not held where the faces do not meet', () => {
    const strip: Part = {
      points: [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], // biome-ignore format: one line
      triangles: [0, 1, 2, 0, 2, 3],
      faces: [X, X << 1, X << 1, X],
    };
    expect(PartVolumes.of(editorOf(strip), 0.1).mayMove(0, [0, 1, 0])).toBe(true);
  });
});
