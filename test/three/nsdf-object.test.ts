import {
  Box3,
  DoubleSide,
  Group,
  type LOD,
  Mesh,
  MeshBasicMaterial,
  Object3D,
  ObjectLoader,
  Raycaster,
  Vector3,
} from 'three';
import { describe, expect, it, vi } from 'vitest';
import { createCpuField, NsdfArgumentError } from '../../src/index.ts';
import { NSDFGroup, NSDFObject, objectFromAsset } from '../../src/three/index.ts';
import {
  emptyField,
  evaluateReference,
  octahedronMlp,
  randomPoints,
  sphereField,
} from '../fixtures/fields.ts';
import { seededRandom } from '../fixtures/random.ts';

const RADIUS = 0.7;
/** |x| + |y| + |z| = 0.7, scaled so that the gradient has unit length: never more than the distance. */
const OCTAHEDRON = { ...octahedronMlp(RADIUS), valueScale: 1 / Math.sqrt(3) };
const CENTER_VALUE = -RADIUS / Math.sqrt(3);
const makeOctahedron = () => objectFromAsset(OCTAHEDRON, { resolution: 8 });
/** Grows with the tolerance, in a few milliseconds. */
const BALL = sphereField({ cells: [4] });

describe('NSDFObject', () => {
  it('is a LOD of one level: the derived surface as a plain indexed mesh', async () => {
    const object = await makeOctahedron();
    expect(object.isLOD).toBe(true);
    expect(object.levels).toHaveLength(1);
    expect(object.name).toBe('octahedron-mlp');
    const { geometry, mesh, stats } = object;
    expect(mesh).toBeInstanceOf(Mesh);
    expect(mesh!.parent).toBe(object);
    expect(geometry!.getAttribute('position').count).toBe(stats!.nVertices);
    expect(geometry!.index!.count).toBe(stats!.nTriangles * 3);
    const box = new Box3().setFromObject(object);
    expect(box.min.distanceTo(new Vector3(-RADIUS, -RADIUS, -RADIUS))).toBeLessThan(1e-5);
    expect(box.max.distanceTo(new Vector3(RADIUS, RADIUS, RADIUS))).toBeLessThan(1e-5);
  });

  it('says that a field without zero set is empty', async () => {
    const object = await objectFromAsset(emptyField());
    expect(object.isEmpty).toBe(true);
    expect(object.geometry!.index!.count).toBe(0);
    expect(new Box3().setFromObject(object).isEmpty()).toBe(true);
  });

  it('derives again in place, keeping the material', async () => {
    const object = await objectFromAsset(BALL, { tolerance: 0.05 });
    const material = new MeshBasicMaterial();
    object.material = material;
    const before = object.geometry!;
    const freed = vi.fn();
    before.addEventListener('dispose', freed);
    const stats = await object.derive({ tolerance: 0.002 });
    expect(stats.nVertices).toBeGreaterThan(before.getAttribute('position').count);
    expect(object.stats).toBe(stats);
    expect(object.geometry).not.toBe(before);
    expect(object.material).toBe(material);
    expect(object.levels).toHaveLength(1);
    expect(freed).toHaveBeenCalledOnce();
  });

  it('keeps the last of several derivations, and rejects those overtaken or disposed of', async () => {
    const object = await objectFromAsset(BALL, { tolerance: 0.05 });
    const overtaken = object.derive({ tolerance: 1e-5 });
    const last = object.derive({ tolerance: 0.01 });
    await expect(overtaken).rejects.toMatchObject({ name: 'AbortError' });
    const stats = await last;
    expect(object.stats).toBe(stats);
    const disposed = object.derive({ tolerance: 1e-5 });
    object.dispose();
    await expect(disposed).rejects.toMatchObject({ name: 'AbortError' });
    expect(object.stats).toBe(stats);
  });

  it("rejects with the caller's reason on abort, and with a typed error on a bad option", async () => {
    const object = await makeOctahedron();
    const controller = new AbortController();
    const pending = object.derive({ tolerance: 1e-4, signal: controller.signal });
    controller.abort('enough');
    await expect(pending).rejects.toBe('enough');
    await expect(object.derive({ tolerance: -1 })).rejects.toBeInstanceOf(NsdfArgumentError);
    await expect(new NSDFObject().derive()).rejects.toBeInstanceOf(NsdfArgumentError);
  });

  it('clones with shared geometry, material and field, and with children that are no level', async () => {
    const object = await makeOctahedron();
    const label = new Object3D();
    label.name = 'label';
    object.add(label);
    object.position.set(1, 2, 3);
    object.userData = { price: 7 };
    const clone = object.clone();
    expect(clone).toBeInstanceOf(NSDFObject);
    expect(clone.children.map((child) => child.type)).toEqual(['Mesh', 'Object3D']);
    expect(clone.levels).toHaveLength(1);
    expect(clone.geometry).toBe(object.geometry);
    expect(clone.material).toBe(object.material);
    expect(clone.asset).toBe(OCTAHEDRON);
    expect(clone.stats).toBe(object.stats);
    expect(clone.position.toArray()).toEqual([1, 2, 3]);
    expect(clone.userData).toEqual({ price: 7 });
    expect(clone.sample([0, 0, 0]).distances[0]).toBeCloseTo(CENTER_VALUE, 6);
    expect(object.clone(false).children).toHaveLength(1);
  });

  it('frees its buffers when disposed of, and can be drawn again after', async () => {
    const object = await makeOctahedron();
    const freed = vi.fn();
    object.geometry!.addEventListener('dispose', freed);
    (object.material as MeshBasicMaterial).addEventListener('dispose', freed);
    object.addEventListener('dispose', freed);
    object.dispose();
    expect(freed).toHaveBeenCalledTimes(3);
    expect(object.geometry!.getAttribute('position').count).toBeGreaterThan(0);
    expect(object.sample([0, 0, 0]).distances[0]).toBeCloseTo(CENTER_VALUE, 6);
  });

  it('goes through JSON as an ordinary LOD', async () => {
    const object = await makeOctahedron();
    const json = object.toJSON();
    expect(json).toHaveProperty('geometries.length', 1);
    const back = (await new ObjectLoader().parseAsync(json)) as LOD;
    expect(back).toMatchObject({ isLOD: true, name: 'octahedron-mlp' });
    expect(back.levels).toHaveLength(1);
    expect((back.levels[0].object as Mesh).geometry.index!.count).toBe(object.geometry!.index!.count);
  });
});

describe('raycasting', () => {
  const ray = new Raycaster(new Vector3(0.1, 0.05, 5), new Vector3(0, 0, -1));

  /** Seen from inside too, so that a ray has two hits. */
  async function makeTwoSided(): Promise<NSDFObject> {
    const object = await makeOctahedron();
    object.material = new MeshBasicMaterial({ side: DoubleSide });
    return object;
  }

  it('gives every crossing once, recursively or not, under a group', async () => {
    const object = await makeTwoSided();
    const group = new Group().add(object);
    group.position.z = 1;
    group.updateMatrixWorld();
    for (const hits of [ray.intersectObject(object, false), ray.intersectObject(group)]) {
      expect(hits).toHaveLength(2);
      expect(hits[0].point.z).toBeCloseTo(1.55, 5);
      expect(hits[0].face!.normal.z).toBeCloseTo(1 / Math.sqrt(3), 4);
      expect(hits[1].point.z).toBeCloseTo(0.45, 5);
      expect(hits[0].object).toBe(object.mesh);
    }
  });

  it('also answers for the mesh alone, and for the same rays again', async () => {
    const object = await makeTwoSided();
    object.updateMatrixWorld();
    expect(ray.intersectObject(object.mesh!)).toHaveLength(2);
    const all = ray.intersectObject(object);
    expect(ray.intersectObject(object, true, all)).toHaveLength(4);
  });

  it('takes in children that are no level, and leaves out levels that are not shown', async () => {
    const object = await makeTwoSided();
    const fine = (await makeTwoSided()).mesh!;
    object.addLevel(fine, 100);
    const extra = (await makeTwoSided()).mesh!.clone();
    extra.position.z = -2;
    object.add(extra);
    object.updateMatrixWorld();
    const expected = [object.mesh, object.mesh, extra, extra];
    const hits = ray.intersectObject(object);
    expect(hits.map((hit, i) => hit.object === expected[i])).toEqual([true, true, true, true]);
  });
});

describe('sample', () => {
  it('agrees with the field, values and gradients', async () => {
    const asset = sphereField();
    const object = await objectFromAsset(asset, { tolerance: 0.05 });
    const points = Float32Array.from(randomPoints(seededRandom(5), asset.domain, 200).flat());
    const { distances, gradients } = object.sample(points);
    const expected = new Float32Array(200);
    const expectedGradients = new Float32Array(600);
    createCpuField(asset).evaluateWithGradient(points, expected, expectedGradients);
    expect(distances).toEqual(expected);
    expect(gradients).toEqual(expectedGradients);
    for (let i = 0; i < 200; i++) {
      const at: [number, number, number] = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]];
      expect(distances[i]).toBeCloseTo(evaluateReference(asset, at), 5);
    }
  });

  it('takes plain arrays, writes to the arrays given, and refuses lengths that do not fit', async () => {
    const object = await makeOctahedron();
    const out = { distances: new Float32Array(4), gradients: new Float32Array(12) };
    const samples = object.sample([0, 0.1, 0.9, 0.9, 0.2, 0.4], out);
    expect(samples.distances).toBe(out.distances);
    const expected = [0.3, 0.8].map((f) => expect.closeTo(f / Math.sqrt(3), 6));
    expect([...out.distances]).toEqual([...expected, 0, 0]);
    expect([...out.gradients.subarray(3, 6)]).toEqual(
      [1, 1, 1].map((d) => expect.closeTo(d / Math.sqrt(3), 6)),
    );
    expect(() => object.sample([1, 2])).toThrow(NsdfArgumentError);
    expect(() => object.sample([1, 2, 3], { distances: new Float32Array(0) })).toThrow(NsdfArgumentError);
    expect(() => new NSDFObject().sample([1, 2, 3])).toThrow(NsdfArgumentError);
  });

  it('follows rotation, translation and uniform scale of the world exactly', async () => {
    const object = await makeOctahedron();
    const parent = new Group().add(object);
    parent.position.set(10, 0, 0);
    parent.scale.setScalar(2);
    object.rotation.y = Math.PI / 2;
    object.position.y = 0.5;
    const { distances, gradients } = object.sampleWorld([12, 1.4, 1, 10, 0, -1.8]);
    expect(distances[0]).toBeCloseTo((2 + 0.4 + 1 - 1.4) / Math.sqrt(3), 5);
    expect(distances[1]).toBeCloseTo((1 + 1.8 - 1.4) / Math.sqrt(3), 5);
    expect([...gradients.subarray(0, 3)]).toEqual([1, 1, 1].map((d) => expect.closeTo(d / Math.sqrt(3), 6)));
    expect(gradients[5]).toBeCloseTo(-1 / Math.sqrt(3), 6);
  });

  it('never oversteps where the axes are scaled differently, and gives the gradient of what it returns', async () => {
    const object = await makeOctahedron();
    object.scale.set(3, 1, 0.5);
    object.rotation.set(0.3, -0.7, 1.1);
    object.position.set(0.2, -0.4, 0.6);
    object.updateMatrixWorld();
    const points = randomPoints(seededRandom(9), OCTAHEDRON.domain, 100).map((point) =>
      object.localToWorld(new Vector3(...point)),
    );
    const { distances, gradients } = object.sampleWorld(points.flatMap((point) => point.toArray()));
    const surface = verticesWorld(object);
    let nKinks = 0;
    points.forEach((point, i) => {
      if (distances[i] > 0) {
        const nearest = Math.min(...surface.map((vertex) => vertex.distanceTo(point)));
        expect(distances[i]).toBeLessThanOrEqual(nearest + 1e-5);
      }
      const gradient = new Vector3().fromArray(gradients, i * 3);
      const ahead = point.clone().addScaledVector(gradient, 1e-3);
      const slope = (object.sampleWorld(ahead.toArray()).distances[0] - distances[i]) / 1e-3;
      if (Math.abs(slope - gradient.lengthSq()) > 2e-3) nKinks++;
    });
    // A step may cross one of the planes x = 0, y = 0, z = 0 of the object; few do.
    expect(nKinks).toBeLessThan(5);
  });
});

function verticesWorld(object: NSDFObject): Vector3[] {
  const position = object.geometry!.getAttribute('position');
  return Array.from({ length: position.count }, (_, i) =>
    object.localToWorld(new Vector3().fromBufferAttribute(position, i)),
  );
}

describe('NSDFGroup', () => {
  it('lists the fields below it, clones, and frees everything', async () => {
    const group = new NSDFGroup();
    const [first, second] = [await makeOctahedron(), await makeOctahedron()];
    group.add(first, new Group().add(second));
    group.copyright = 'someone';
    expect(group.fields).toEqual([first, second]);
    const clone = group.clone();
    expect(clone.fields).toHaveLength(2);
    expect(clone.fields[0]).not.toBe(first);
    expect(clone.copyright).toBe('someone');
    const freed = vi.fn();
    for (const field of group.fields) field.geometry!.addEventListener('dispose', freed);
    group.dispose();
    expect(freed.mock.calls.length).toBeGreaterThanOrEqual(2);
  });
});
