import { beforeAll, describe, expect, it } from 'vitest';
import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { checkTopology } from '../../src/surface/check.ts';
import type { SurfaceMesh } from '../../src/surface/mesh.ts';
import type { RegionStructure } from '../../src/surface/structure.ts';
import { Faults } from '../faults.ts';
import {
  blobMlp,
  boxMlp,
  boxOnGridField,
  emptyField,
  leavingField,
  multiField,
  octahedronMlp,
  planeMlp,
  randomField,
  randomMlp,
  slabField,
  sphereField,
} from '../fixtures/fields.ts';
import { between, seededRandom } from '../fixtures/random.ts';
import { derive } from './derive.ts';

interface StructureCase {
  readonly name: string;
  readonly make: () => FieldAsset;
  /** f is affine in every region: polygons are flat and their sides straight. */
  readonly isAffine?: boolean;
  /** Share of polygons that may have vertices on both sides of a neuron: its crease comes and goes by one side. */
  readonly mixedShare?: number;
}

const CASES: readonly StructureCase[] = [
  { name: 'sphere', make: () => sphereField({ cells: [4, 8] }) },
  { name: 'multi', make: () => multiField() },
  { name: 'slab', make: () => slabField({ cells: [4, 8] }) },
  { name: 'leaving', make: () => leavingField() },
  { name: 'box on grid', make: () => boxOnGridField() },
  { name: 'random', make: () => randomField(31, { L: 2, finest: 5, layers: [8, 8] }) },
  { name: 'random hashed', make: () => randomField(12, { T: 7, L: 4, finest: 16 }), mixedShare: 5e-4 },
  { name: 'random, no bias', make: () => randomField(13, { F: 1, hasBias: false }), mixedShare: 4e-3 },
  { name: 'random, no hidden layer', make: () => randomField(15, { layers: [], finest: 6 }) },
  { name: 'plane mlp', make: () => planeMlp(), isAffine: true },
  { name: 'box mlp', make: () => boxMlp(), isAffine: true },
  { name: 'octahedron mlp', make: () => octahedronMlp(), isAffine: true },
  { name: 'blob mlp', make: () => blobMlp(21), isAffine: true },
  { name: 'random mlp', make: () => randomMlp(24, [12, 12]), isAffine: true },
];

/** Planes closer than 2e-6 of the domain are one mark, so a box may miss its field's own planes by that. */
const ON_CREASE = 1e-6;

const listedNeurons = (s: RegionStructure, leaf: number): Int32Array =>
  s.leafNeurons.subarray(s.leafNeuronStart[leaf], s.leafNeuronStart[leaf + 1]);

const signBit = (s: RegionStructure, polygon: number, neuron: number): boolean =>
  ((s.polygonSigns[polygon * s.nSignWords + (neuron >> 5)] >>> (neuron & 31)) & 1) === 1;

const polygonOf = (s: RegionStructure, p: number): Int32Array =>
  s.polygonVertices.subarray(s.polygonStart[p], s.polygonStart[p + 1]);

/** Rows of pre-activations, then f. */
function preActivations(field: CpuField, points: Float64Array): Float64Array {
  const out = new Float64Array((points.length / 3) * (field.nPreActivations + 1));
  field.preActivations(points, out);
  return out;
}

describe.each(CASES)('$name, exact', ({ make, isAffine, mixedShare = 0 }) => {
  const asset = make();
  const field = createCpuField(asset);
  const stride = field.nPreActivations + 1;
  let s: RegionStructure;
  let mesh: SurfaceMesh;
  let nPolygons = 0;

  beforeAll(async () => {
    const result = await derive(asset, { exact: true, structure: true });
    if (result.structure === undefined) throw new Error('no structure');
    s = result.structure;
    mesh = result.mesh;
    nPolygons = s.polygonLeaf.length;
  });

  it('is a complex of the topology of the mesh', () => {
    const sides = new Map<string, number>();
    for (let p = 0; p < nPolygons; p++) {
      const polygon = polygonOf(s, p);
      polygon.forEach((v, k) => {
        const key = `${v} ${polygon[(k + 1) % polygon.length]}`;
        sides.set(key, (sides.get(key) ?? 0) + 1);
      });
    }
    expect(Math.max(...sides.values())).toBe(1);
    const edges = new Set<string>();
    const faults = new Faults();
    for (let e = 0; e < s.edges.length; e += 2) {
      const [a, b] = s.edges.subarray(e, e + 2);
      faults.unless(a < b, 'edge out of order', e);
      faults.unless(sides.has(`${a} ${b}`) || sides.has(`${b} ${a}`), 'edge of no polygon', e);
      edges.add(`${a} ${b}`);
    }
    expect(faults.first).toEqual([]);
    expect(edges.size).toBe(s.edges.length / 2);
    const characteristic = s.vertices.length / 3 - edges.size + nPolygons;
    expect(characteristic).toBe(checkTopology(mesh, asset.domain).eulerCharacteristic);
  });

  it('has edges on the planes and on the creases that they say made them', () => {
    const values = preActivations(field, s.vertices);
    const faults = new Faults();
    for (let e = 0; e < s.edgeAxis.length; e++) {
      const [axis, mark, neuron] = [s.edgeAxis[e], s.edgeMark[e], s.edgeNeuron[e]];
      faults.unless(axis >= 0 === neuron < 0, 'plane and neuron, or neither', e);
      if (axis < 0) faults.unless(Number.isNaN(s.edgeCoordinate[e]), 'coordinate without plane', e);
      if (mark >= 0)
        faults.unless(s.edgeCoordinate[e] === s.marks[axis][mark], 'coordinate of another mark', e);
      for (const v of s.edges.subarray(e * 2, e * 2 + 2)) {
        if (axis >= 0)
          faults.unless(s.vertices[v * 3 + axis] === s.edgeCoordinate[e], 'beside its plane', e, v);
        else faults.unless(Math.abs(values[v * stride + neuron]) < ON_CREASE, 'beside its crease', e, v);
      }
    }
    expect(faults.first).toEqual([]);
  });

  it('has the field’s signs at its inner points, which lie on the zero set', () => {
    let nOff = 0;
    const faults = new Faults();
    const values = preActivations(field, s.polygonPoints);
    expect(s.nSignWords).toBe(Math.ceil(field.nPreActivations / 32));
    for (let p = 0; p < nPolygons; p++) {
      if (Math.abs(values[(p + 1) * stride - 1]) > ON_CREASE) nOff++;
      for (let j = 0; j + 1 < stride; j++) {
        faults.unless(signBit(s, p, j) === values[p * stride + j] >= 0, 'another sign', p, j);
      }
    }
    expect(faults.first).toEqual([]);
    // The zero set may pass a curved polygon outside its leaf.
    expect(nOff).toBeLessThanOrEqual(2e-4 * nPolygons);
  });

  it('has no polygon on both sides of a neuron, where leaves are settled', () => {
    const values = preActivations(field, s.vertices);
    let nMixed = 0;
    for (let p = 0; p < nPolygons; p++) {
      if (s.leafIsSettled[s.polygonLeaf[p]] === 0) continue;
      const polygon = polygonOf(s, p);
      const isMixed = (j: number): boolean =>
        polygon.some((v) => values[v * stride + j] > ON_CREASE) &&
        polygon.some((v) => values[v * stride + j] < -ON_CREASE);
      if (listedNeurons(s, s.polygonLeaf[p]).some(isMixed)) nMixed++;
    }
    expect(nMixed).toBeLessThanOrEqual(mixedShare * nPolygons);
  });

  it.runIf(isAffine)('has flat polygons of one sign vector throughout', () => {
    const random = seededRandom(9);
    const points: number[] = [];
    const owner: number[] = [];
    for (let p = 0; p < nPolygons; p++) {
      const polygon = polygonOf(s, p);
      for (let k = 0; k < polygon.length; k++) {
        const [t, share] = [random(), between(random, 0, 0.999)];
        const [a, b] = [polygon[k] * 3, polygon[(k + 1) % polygon.length] * 3];
        for (let axis = 0; axis < 3; axis++) {
          const onSide = s.vertices[a + axis] * (1 - t) + s.vertices[b + axis] * t;
          points.push(s.polygonPoints[p * 3 + axis] * (1 - share) + onSide * share);
        }
        owner.push(p);
      }
    }
    const values = preActivations(field, Float64Array.from(points));
    const faults = new Faults();
    owner.forEach((p, i) => {
      faults.unless(Math.abs(values[(i + 1) * stride - 1]) < 1e-8, 'off the zero set', p, i);
      for (let j = 0; j + 1 < stride; j++) {
        const value = values[i * stride + j];
        // The surface itself may be a neuron's zero set: its sign is rounding there.
        if (Math.abs(value) > 1e-12) faults.unless(value > 0 === signBit(s, p, j), 'another sign', p, j);
      }
    });
    expect(faults.first).toEqual([]);
  });

  it('lists all neurons that change sign in a leaf', () => {
    const random = seededRandom(10);
    const nPoints = 12;
    const faults = new Faults();
    for (let leaf = 0; leaf < s.leafBox.length; leaf += 7) {
      const [min, max] = [0, 3].map((k) => s.leaves.subarray(leaf * 6 + k, leaf * 6 + k + 3));
      const points = Float64Array.from({ length: nPoints * 3 }, (_, i) =>
        between(random, min[i % 3], max[i % 3]),
      );
      const values = preActivations(field, points);
      const listed = listedNeurons(s, leaf);
      for (let j = 0; j + 1 < stride; j++) {
        if (listed.includes(j)) continue;
        const column = Array.from({ length: nPoints }, (_, i) => values[i * stride + j]);
        const isMixed = Math.min(...column) < -ON_CREASE && Math.max(...column) > ON_CREASE;
        faults.unless(!isMixed, 'a neuron that is not listed changes sign', leaf, j);
      }
    }
    expect(faults.first).toEqual([]);
  });

  it('has leaves in their boxes, and polygons in their leaves', () => {
    const faults = new Faults();
    for (let leaf = 0; leaf < s.leafBox.length; leaf++) {
      for (let axis = 0; axis < 3; axis++) {
        const mark = s.boxes[s.leafBox[leaf] * 3 + axis];
        const [min, max] = [s.leaves[leaf * 6 + axis], s.leaves[leaf * 6 + 3 + axis]];
        const isInside = min >= s.marks[axis][mark] && max <= s.marks[axis][mark + 1];
        faults.unless(isInside, 'a leaf beside its box', leaf, axis);
      }
    }
    for (let p = 0; p < nPolygons; p++) {
      const leaf = s.polygonLeaf[p] * 6;
      for (const v of polygonOf(s, p)) {
        for (let axis = 0; axis < 3; axis++) {
          const x = s.vertices[v * 3 + axis];
          const isInside = x >= s.leaves[leaf + axis] - 1e-12 && x <= s.leaves[leaf + 3 + axis] + 1e-12;
          faults.unless(isInside, 'a vertex beside its leaf', p, v, axis);
        }
      }
    }
    expect(faults.first).toEqual([]);
  });
});

describe('the structure of a derivation', () => {
  it('is given only where it is asked for, and changes nothing else', async () => {
    const asset = sphereField({ cells: [4, 8] });
    const plain = await derive(asset);
    const asked = await derive(asset, { structure: true });
    expect('structure' in plain).toBe(false);
    expect(asked.structure).toBeDefined();
    expect(asked.mesh).toEqual(plain.mesh);
  });

  it('is coarser with a tolerance than exact, and of the same topology', async () => {
    const asset = blobMlp(21);
    const [coarse, whole] = [
      (await derive(asset, { tolerance: 2e-2, structure: true })).structure,
      (await derive(asset, { exact: true, structure: true })).structure,
    ];
    if (coarse === undefined || whole === undefined) throw new Error('no structure');
    expect(coarse.polygonLeaf.length).toBeLessThan(0.8 * whole.polygonLeaf.length);
    expect(coarse.vertices.length / 3 - coarse.edges.length / 2 + coarse.polygonLeaf.length).toBe(2);
  });

  it('knows the box: six planes, twelve edges, each made by the neurons that fold there', async () => {
    const { structure } = await derive(boxMlp([0.5, 0.4, 0.3]), { exact: true, structure: true });
    if (structure === undefined) throw new Error('no structure');
    const { edges, edgeNeuron, vertices } = structure;
    let length = 0;
    for (let e = 0; e < edgeNeuron.length; e++) {
      if (edgeNeuron[e] < 0) continue;
      const [a, b] = [edges[e * 2] * 3, edges[e * 2 + 1] * 3];
      const d = [0, 1, 2].map((k) => vertices[b + k] - vertices[a + k]);
      const middle = [0, 1, 2].map((k) => Math.abs(vertices[b + k] + vertices[a + k]) / 2);
      const nOnFaces = middle.filter((m, k) => Math.abs(m - [0.5, 0.4, 0.3][k]) < 1e-7).length;
      if (nOnFaces === 2) length += Math.hypot(...d);
    }
    expect(length).toBeCloseTo(8 * (0.5 + 0.4 + 0.3), 6);
  });

  it('measures flatness: none on a plane, the bulge of the cells on a sphere', async () => {
    const flatness = async (asset: FieldAsset): Promise<number> => {
      const { structure } = await derive(asset, { exact: true, structure: true });
      return Math.max(...(structure?.leafFlatness ?? [Number.NaN]));
    };
    expect(await flatness(planeMlp())).toBeLessThan(1e-14);
    const coarse = await flatness(sphereField({ cells: [8] }));
    const fine = await flatness(sphereField({ cells: [16] }));
    expect(coarse).toBeLessThan((0.25 * Math.sqrt(3)) ** 2 / (8 * 0.6));
    expect(coarse).toBeGreaterThan(1e-3);
    expect(fine).toBeLessThan(0.5 * coarse);
  });

  it('is empty for a field without zero set', async () => {
    const { structure } = await derive(emptyField(), { structure: true });
    expect(structure?.leaves).toHaveLength(0);
    expect(structure?.vertices).toHaveLength(0);
    expect([...(structure?.polygonStart ?? [])]).toEqual([0]);
    expect(structure?.marks[0].length).toBeGreaterThan(2);
  });
});
