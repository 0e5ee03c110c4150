import { LoadingManager, type MeshStandardMaterial } from 'three';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { packGlb } from '../../src/format/glb.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NsdfFormatError, NsdfLoadError } from '../../src/index.ts';
import { NSDFGroup, NSDFLoader, type NSDFProgress } from '../../src/three/index.ts';
import { octahedronMlp } from '../fixtures/fields.ts';
import { until } from '../pipeline/event-turns.ts';
import { BALL, recordingManager, SPHERE, serveFields } from './field-server.ts';
import { editGlb } from './glb.ts';
import type { TestServer } from './serve.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFields();
  return () => server.close();
});

afterEach(() => {
  vi.restoreAllMocks();
});

const url = (name: string) => `${server.url}/${name}`;

/** glTF's ways to show nothing. */
const EMPTY = [
  {},
  { scenes: [{}], scene: 0 },
  { nodes: [{ name: 'a' }], scenes: [{ nodes: [0] }], scene: 0 },
];

describe('loading', () => {
  it.each(EMPTY)('gives an empty group where the file shows nothing: %j', async (parts) => {
    const glb = packGlb({ asset: { version: '2.0' }, ...parts }, new Uint8Array(0));
    const complain = vi.spyOn(console, 'error');
    const scene = await new NSDFLoader().parseAsync(glb);
    expect(scene).toBeInstanceOf(NSDFGroup);
    expect(scene.fields).toEqual([]);
    const leveled = await new NSDFLoader().setLod(true).parseAsync(glb);
    expect(leveled.fields).toEqual([]);
    expect(complain).not.toHaveBeenCalled();
    scene.dispose();
    leveled.dispose();
  });

  it('gives a group for scene.add, with its fields', async () => {
    const scene = await new NSDFLoader().loadAsync(url('ball.nsdf'));
    expect(scene).toBeInstanceOf(NSDFGroup);
    expect(scene.fields.map((field) => field.name)).toEqual(['ball']);
    const [ball] = scene.fields;
    expect(ball.geometry!.index!.array).toBeInstanceOf(Uint16Array);
    expect((ball.material as MeshStandardMaterial).isMeshStandardMaterial).toBe(true);
    expect(ball.stats!.backend).toBe('cpu');
  });

  it('joins path and URL, applies the URL modifier, sends the headers', async () => {
    const manager = new LoadingManager().setURLModifier((asked) =>
      asked.replace('virtual:', `${server.url}/`),
    );
    const loader = new NSDFLoader(manager).setPath('virtual:').setRequestHeader({ 'X-Key': '42' });
    await loader.loadAsync('ball.nsdf');
    expect(server.requests.at(-1)!.url).toBe('/ball.nsdf');
    expect(server.requests.at(-1)!.headers['x-key']).toBe('42');
  });

  it('sends credentials where told to', async () => {
    const spy = vi.spyOn(globalThis, 'fetch');
    await new NSDFLoader().setWithCredentials(true).loadAsync(url('ball.nsdf'));
    await new NSDFLoader().loadAsync(url('ball.nsdf'));
    expect(spy.mock.calls.map(([, init]) => init?.credentials)).toEqual(['include', 'same-origin']);
  });

  it('counts one item of the manager, which ends after onLoad', async () => {
    const { manager, log } = recordingManager();
    await new Promise<void>((resolve) => {
      new NSDFLoader(manager).load(url('ball.nsdf'), () => {
        log.push('onLoad');
        queueMicrotask(resolve);
      });
      expect(log).toEqual(['start ball.nsdf']);
    });
    expect(log).toEqual(['start ball.nsdf', 'onLoad', 'progress ball.nsdf 1/1', 'load']);
  });

  it('reports download and derivation', async () => {
    const seen: NSDFProgress[] = [];
    const events: ProgressEvent[] = [];
    const loader = new NSDFLoader().setTolerance(0.01).setProgress((progress) => seen.push(progress));
    await loader.loadAsync(url('sphere.nsdf'), (event) => events.push(event));
    expect(events.at(-1)).toMatchObject({ loaded: SPHERE.length, total: SPHERE.length });
    expect(seen[0]).toMatchObject({ phase: 'download' });
    const derived = seen.filter(({ phase }) => phase === 'derive');
    expect(derived.length).toBeGreaterThan(1);
    expect(derived[0].fieldName).toBe('sphere');
    const fractions = derived.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(Math.max(...fractions)).toBeLessThanOrEqual(1);
  });

  it('loads several files at once', async () => {
    const loader = new NSDFLoader().setTolerance(0.02);
    const scenes = await Promise.all(
      ['ball.nsdf', 'sphere.nsdf', 'ball.nsdf'].map((name) => loader.loadAsync(url(name))),
    );
    expect(scenes.map((scene) => scene.fields[0].name)).toEqual(['ball', 'sphere', 'ball']);
  });
});

describe('settings', () => {
  it('chain, and one way to ask for a mesh replaces the others', () => {
    const loader = new NSDFLoader()
      .setTolerance(0.01)
      .setMaxVertices(500)
      .setCreaseAngle(30)
      .setBackend('cpu')
      .setProgress(null)
      .setSignal(null);
    expect(loader.settings).toEqual({ tolerance: 0.01, maxVertices: 500, creaseAngle: 30, backend: 'cpu' });
    expect(loader.setResolution(16).settings).toMatchObject({ resolution: 16 });
    expect(loader.settings).not.toHaveProperty('tolerance');
    expect(loader.setExact().settings).toEqual({
      exact: true,
      maxVertices: 500,
      creaseAngle: 30,
      backend: 'cpu',
    });
    loader.setExact(false).setMaxVertices(null).setCreaseAngle(null);
    expect(loader.settings).toEqual({ backend: 'cpu' });
  });

  it('take effect', async () => {
    const loader = new NSDFLoader().setTolerance(0.05);
    const coarse = await loader.parseAsync(BALL);
    const fine = await loader.setTolerance(0.002).parseAsync(BALL);
    expect(fine.fields[0].stats!.nVertices).toBeGreaterThan(1.5 * coarse.fields[0].stats!.nVertices);
    const few = await loader.setMaxVertices(60).parseAsync(BALL);
    expect(few.fields[0].stats!.nVertices).toBeLessThanOrEqual(60);
    const lattice = await loader.setMaxVertices(null).setResolution(16).parseAsync(BALL);
    expect(lattice.fields[0].stats!.toleranceLocal).not.toBe(0.002);
  });

  it('split normals at creases', async () => {
    const octahedron = writeNsdf(octahedronMlp());
    const sharp = await new NSDFLoader().setResolution(8).setCreaseAngle(30).parseAsync(octahedron);
    const smooth = await new NSDFLoader().setResolution(8).parseAsync(octahedron);
    expect(sharp.fields[0].stats!.nVertices).toBeGreaterThan(smooth.fields[0].stats!.nVertices);
  });

  it('can be given to the constructor, which needs none', async () => {
    expect(new NSDFLoader(undefined, { resolution: 8 }).settings).toEqual({ resolution: 8 });
    const failure = new NSDFLoader().setTolerance(-1).parseAsync(BALL);
    await expect(failure).rejects.toMatchObject({ code: 'argument', argument: 'tolerance' });
  });
});

describe('parsing', () => {
  it('takes an ArrayBuffer, and a view into a larger one', async () => {
    const large = new Uint8Array(BALL.length + 100);
    large.set(BALL, 52);
    const inputs = [BALL.slice().buffer, BALL, large.subarray(52, 52 + BALL.length), Buffer.from(BALL)];
    for (const input of inputs) expect((await new NSDFLoader().parseAsync(input)).fields).toHaveLength(1);
  });

  it('calls back', async () => {
    const loader = new NSDFLoader();
    const scene = await new Promise<NSDFGroup>((resolve, reject) => loader.parse(BALL, resolve, reject));
    expect(scene.fields).toHaveLength(1);
    const error = await new Promise<Error>((resolve) => loader.parse(new Uint8Array(3), undefined, resolve));
    expect(error).toBeInstanceOf(NsdfFormatError);
  });

  it('names the place of what is wrong, before three sees the file', async () => {
    const failing = async (bytes: Uint8Array) => new NSDFLoader().parseAsync(bytes);
    await expect(failing(BALL.subarray(0, 200))).rejects.toThrow(/truncated/);
    await expect(failing(new TextEncoder().encode('{"asset":{"version":"2.0"}}'))).rejects.toThrow(
      /not a .nsdf: the file is a glTF in JSON/,
    );
    const looped = editGlb(BALL, (json) => {
      json.nodes[0].children = [0];
    });
    await expect(failing(looped)).rejects.toThrow(NsdfFormatError);
    const huge = editGlb(BALL, (json) => {
      json.meshes[0].primitives[0].extensions.NSDF_neural_field.mlp.layers[0].nOut = 2e9;
    });
    await expect(failing(huge)).rejects.toThrow(NsdfFormatError);
  });
});

describe('failure', () => {
  it.each([
    ['gone.nsdf', NsdfLoadError],
    ['bad.nsdf', NsdfFormatError],
  ] as const)('of %s reaches onError as an Error, and the manager', async (name, kind) => {
    const { manager, log } = recordingManager();
    const error = await new Promise<Error>((resolve, reject) => {
      const unexpected = () => reject(new Error('onLoad was called'));
      new NSDFLoader(manager).load(url(name), unexpected, undefined, resolve);
    });
    expect(error).toBeInstanceOf(kind);
    await until(() => log.at(-1) === 'load');
    expect(log).toEqual([`start ${name}`, `error ${name}`, `progress ${name} 1/1`, 'load']);
  });

  it('without onError goes to the page, where there is one', async () => {
    const report = vi.fn();
    vi.stubGlobal('reportError', report);
    new NSDFLoader().load(url('gone.nsdf'));
    await until(() => report.mock.calls.length > 0);
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.any(NsdfLoadError));
    vi.unstubAllGlobals();
  });
});
