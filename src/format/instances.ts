import type { NsdfField, NsdfNode, NsdfScene } from './scene.ts';

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
