import { describe, expect, it } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import { checkTopology, type TopologyReport } from '../../src/surface/check-topology.ts';
import { flipped, join, type PlainMesh, sphere, torus, typed, without } from './check-meshes.ts';

const FAULTS = [
  'nDuplicateVertices',
  'nSplitVertices',
  'nUnusedVertices',
  'nNonFiniteVertices',
  'nBadNormals',
  'nDuplicateTriangles',
  'nDegenerateTriangles',
  'nOpenEdges',
  'nOpenEdgesOnDomain',
  'nNonManifoldEdges',
  'nMisorientedEdges',
  'nNonManifoldVertices',
  'nFoldedEdges',
] as const;

/** The fault counts that are not zero. */
function faults(report: TopologyReport): Partial<Record<(typeof FAULTS)[number], number>> {
  return Object.fromEntries(FAULTS.map((key) => [key, report[key]]).filter(([, n]) => n !== 0));
}

function check(mesh: PlainMesh, domain?: Parameters<typeof checkTopology>[1]): TopologyReport {
  return checkTopology(typed(mesh), domain);
}

describe('sound meshes', () => {
  it('a sphere', () => {
    const report = check(sphere());
    expect(faults(report)).toEqual({});
    expect(report).toMatchObject({ isClosed: true, isManifold: true, isOriented: true });
    expect(report).toMatchObject({ nComponents: 1, eulerCharacteristic: 2, genus: 0 });
    expect(report.area).toBeCloseTo(Math.PI, 1);
    expect(report.signedVolume).toBeCloseTo(Math.PI / 6, 1);
  });

  it('a torus', () => {
    expect(check(torus())).toMatchObject({ eulerCharacteristic: 0, genus: 1, nComponents: 1 });
  });

  it('two parts: components counted, genera summed', () => {
    const report = check(join(torus(), sphere(2, 0.1, [0, 0, 0.8])));
    expect(faults(report)).toEqual({});
    expect(report).toMatchObject({ nComponents: 2, eulerCharacteristic: 2, genus: 1 });
  });

  it('inside out: the volume is negative, the topology sound', () => {
    const report = check(flipped(sphere()));
    expect(faults(report)).toEqual({});
    expect(report.signedVolume).toBeCloseTo(-Math.PI / 6, 1);
  });

  it('nothing at all', () => {
    const report = check({ positions: [], indices: [] });
    expect(faults(report)).toEqual({});
    expect(report).toMatchObject({ nComponents: 0, eulerCharacteristic: 0, isClosed: true });
  });
});

describe('one break at a time', () => {
  it('a hole', () => {
    const report = check(without(sphere(), (t) => t === 5));
    expect(faults(report)).toEqual({ nOpenEdges: 3 });
    expect(report).toMatchObject({ isClosed: false, isManifold: true, isOriented: true, genus: null });
  });

  it('a flipped triangle', () => {
    const mesh = sphere();
    [mesh.indices[30], mesh.indices[31]] = [mesh.indices[31], mesh.indices[30]];
    const report = check(mesh);
    expect(faults(report)).toEqual({ nMisorientedEdges: 3 });
    expect(report).toMatchObject({ isClosed: true, isOriented: false, genus: null });
  });

  it('a duplicate triangle, its corners rotated', () => {
    const mesh = sphere();
    mesh.indices.push(mesh.indices[1], mesh.indices[2], mesh.indices[0]);
    expect(faults(check(mesh))).toEqual({
      nDuplicateTriangles: 1,
      nNonManifoldEdges: 3,
      nNonManifoldVertices: 3,
    });
  });

  it('a triangle and its mirror image are duplicates although every edge is paired', () => {
    const report = check({ positions: [0, 0, 0, 1, 0, 0, 0, 1, 0], indices: [0, 1, 2, 0, 2, 1] });
    expect(faults(report)).toEqual({ nDuplicateTriangles: 1, nFoldedEdges: 3 });
    expect(report).toMatchObject({ isManifold: false, genus: null });
  });

  it('a tetrahedron pressed flat is folded along the sides of its outline', () => {
    const flat = {
      positions: [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0],
      indices: [0, 1, 2, 0, 2, 3, 1, 0, 3, 2, 1, 3],
    };
    expect(faults(check(flat))).toEqual({ nFoldedEdges: 4 });
    flat.positions[2] = 0.01;
    expect(faults(check(flat))).toEqual({});
  });

  it('a fin: an edge of three triangles', () => {
    const mesh = sphere();
    mesh.positions.push(0, 0, 2);
    mesh.indices.push(mesh.indices[1], mesh.indices[0], mesh.positions.length / 3 - 1);
    const report = check(mesh);
    expect(faults(report)).toEqual({ nNonManifoldEdges: 1, nNonManifoldVertices: 2, nOpenEdges: 2 });
    expect(report.isManifold).toBe(false);
  });

  it('a bow-tie: two spheres that share a vertex', () => {
    const mesh = join(sphere(2, 0.5, [0, 0, 0]), sphere(2, 0.5, [1, 0, 0]));
    const report = check(mesh);
    expect(faults(report)).toEqual({ nDuplicateVertices: 1, nNonManifoldVertices: 1 });
    expect(report).toMatchObject({ nComponents: 1, isClosed: true, isManifold: false, genus: null });
  });

  it('a vertex moved onto its neighbour: two triangles degenerate, the rest still closed', () => {
    const mesh = sphere();
    const [a, b] = [mesh.indices[0] * 3, mesh.indices[1] * 3];
    for (let k = 0; k < 3; k++) mesh.positions[a + k] = mesh.positions[b + k];
    const report = check(mesh);
    expect(faults(report)).toMatchObject({ nDuplicateVertices: 1, nDegenerateTriangles: 2 });
    expect(report).toMatchObject({ isClosed: true, eulerCharacteristic: 2 });
  });

  it('a triangle without area whose corners differ', () => {
    const report = check({
      positions: [0, 0, 0, 1, 0, 0, 2, 0, 0, 1, 1, 0],
      indices: [0, 1, 2, 0, 3, 1, 1, 3, 2],
    });
    expect(faults(report)).toEqual({ nDegenerateTriangles: 1, nOpenEdges: 3 });
  });

  it('a repeated index', () => {
    const mesh = sphere();
    mesh.indices.push(0, 0, 1);
    expect(faults(check(mesh))).toEqual({ nDegenerateTriangles: 1 });
  });

  it('an unused vertex', () => {
    const mesh = sphere();
    mesh.positions.push(3, 3, 3);
    const report = check(mesh);
    expect(faults(report)).toEqual({ nUnusedVertices: 1 });
    expect(report.eulerCharacteristic).toBe(2);
  });

  it('a vertex that is NaN', () => {
    const mesh = sphere();
    mesh.positions[4] = Number.NaN;
    expect(check(mesh).nNonFiniteVertices).toBe(1);
  });
});

describe('normals and duplicates', () => {
  it('a vertex split along a crease is a duplicate and a split, and no hole', () => {
    const mesh = typed(sphere());
    const n = mesh.positions.length / 3;
    const vertex = mesh.indices[0];
    const positions = Float32Array.from([
      ...mesh.positions,
      ...mesh.positions.slice(vertex * 3, vertex * 3 + 3),
    ]);
    const normals = positions.map((x) => x / 0.5);
    const indices = Uint32Array.from(mesh.indices);
    indices[0] = n;
    const same = checkTopology({ positions, indices, normals });
    expect(faults(same)).toEqual({ nDuplicateVertices: 1 });
    normals.set([0, 0, 1], n * 3);
    expect(faults(checkTopology({ positions, indices, normals }))).toEqual({
      nDuplicateVertices: 1,
      nSplitVertices: 1,
    });
  });

  it('-0 and +0 are one position', () => {
    expect(check({ positions: [0, 0, 0, 1, 0, 0, -0, -0, 0], indices: [] }).nDuplicateVertices).toBe(1);
  });

  it('a normal of the wrong length', () => {
    const mesh = typed(sphere());
    const normals = mesh.positions.map((x) => x / 0.5);
    expect(checkTopology({ ...mesh, normals }).nBadNormals).toBe(0);
    normals[0] *= 1.1;
    normals[7] = Number.NaN;
    expect(checkTopology({ ...mesh, normals }).nBadNormals).toBe(2);
  });
});

describe('the faces of the domain', () => {
  const sheet = { positions: [0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0], indices: [0, 1, 2, 0, 2, 3] };

  it('edges on a face are allowed, edges across are not', () => {
    const unit = { min: [0, 0, -1], max: [1, 1, 1] } as const;
    expect(faults(check(sheet, unit))).toEqual({ nOpenEdgesOnDomain: 4 });
    expect(check(sheet, unit)).toMatchObject({ isClosed: true, genus: null });
    const wider = { min: [0, 0, -1], max: [1, 2, 1] } as const;
    expect(faults(check(sheet, wider))).toEqual({ nOpenEdges: 1, nOpenEdgesOnDomain: 3 });
  });

  it('two ends on two different faces are no edge on the domain', () => {
    const corner = { positions: [1, 0, 0, 0, 1, 0, 0, 0, 1], indices: [0, 1, 2] };
    expect(faults(check(corner, { min: [-1, -1, -1], max: [1, 1, 1] }))).toEqual({ nOpenEdges: 3 });
  });
});

describe('bad input', () => {
  it('an index beyond the vertices', () => {
    expect(() => check({ positions: [0, 0, 0], indices: [0, 0, 1] })).toThrow(NsdfArgumentError);
  });

  it('arrays of odd length', () => {
    expect(() => check({ positions: [0, 0], indices: [] })).toThrow(/multiples of 3/);
    expect(() => checkTopology({ ...typed(sphere()), normals: new Float32Array(3) })).toThrow(/as many/);
  });
});

it('takes no more steps a triangle for 131,072 triangles than for 2,048', () => {
  const stepsOf = (n: number): number => {
    const { positions, indices } = typed(torus(n));
    let nReads = 0;
    const counted = new Proxy(positions, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) nReads++;
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const report = checkTopology({ positions: counted, indices });
    expect(report.isClosed).toBe(true);
    return nReads / report.nTriangles;
  };
  expect(stepsOf(256)).toBeLessThan(1.2 * stepsOf(32));
});
