import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ImportMeshOptions } from '@babylonjs/core/Loading/sceneLoader.js';
import { WebRequest } from '@babylonjs/core/Misc/webRequest.js';
import { LoadingManager, Scene } from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerNSDFGLTFExtension, registerNSDFLoader } from '../../src/babylon/index.ts';
import { readScene } from '../../src/cli/files.ts';
import { isBesideFile } from '../../src/format/gltf-buffers.ts';
import { type PackedWeights, packWeights } from '../../src/format/packed-weights.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { isForeignOrigin } from '../../src/plugin/fetch-bytes.ts';
import { GLTFNSDFExtension, NSDFLoader } from '../../src/three/index.ts';
import { createScene, importInto, throughGltf, throughNsdf } from '../babylon/load.ts';
import { boxMlp } from '../fixtures/fields.ts';
import { editJson, firstField } from '../format/glb-tools.ts';
import { serve, type TestServer } from '../three/serve.ts';

let weights: PackedWeights;
let tile: Uint8Array;
const naming = (uri: string): Uint8Array =>
  editJson(tile, (json) => {
    json.buffers.find((buffer: { uri?: string }) => buffer.uri !== undefined).uri = uri;
  });

beforeAll(async () => {
  const asset = boxMlp();
  weights = await packWeights(asset, { uri: 'w.bin' });
  tile = writeNsdf({ ...asset, tolerance: 0.05 }, { weights });
});

describe('the command line reads', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nsdf-outside-'));
    await mkdir(join(folder, 'own', 'below'), { recursive: true });
    for (const path of ['w.bin', 'own/w.bin', 'own/below/w.bin'])
      await writeFile(join(folder, path), weights.bytes);
    await symlink(join(folder, 'w.bin'), join(folder, 'own', 'link.bin'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (uri: string, options = {}) => {
    const path = join(folder, 'own', 'tile.glb');
    await writeFile(path, naming(uri));
    return (await readScene(path, options)).nodes;
  };

  it.each(['w.bin', './w.bin', 'below/w.bin', 'below/../w.bin'])(
    '%s, beside the file or below',
    async (uri) => {
      expect(await read(uri)).toHaveLength(1);
    },
  );

  it('what a data URI holds', async () => {
    const base64 = Buffer.from(weights.bytes).toString('base64');
    expect(await read(`data:application/octet-stream;base64,${base64}`)).toHaveLength(1);
  });

  it.each([
    '../w.bin',
    '%2e%2e/w.bin',
    'below/../../w.bin',
    '/etc/hostname',
    'file:///etc/hostname',
    'link.bin',
    '\\..\\w.bin',
  ])('not %s, outside its folder', async (uri) => {
    await expect(read(uri)).rejects.toThrow(/outside its own folder: give --allow-outside/);
  });

  it('that too where it is allowed, but no devices, and nothing over a network', async () => {
    expect(await read('../w.bin', { allowOutside: true })).toHaveLength(1);
    await expect(read('/dev/zero', { allowOutside: true })).rejects.toThrow(/no regular file/);
    await expect(read('http://127.0.0.1:1/w.bin', { allowOutside: true })).rejects.toThrow(/no file here/);
    await expect(read('file://server/w.bin', { allowOutside: true })).rejects.toThrow(/no file here/);
    await expect(read('below/none.bin')).rejects.toThrow(/tile\.glb: ENOENT/);
  });
});

describe('isBesideFile', () => {
  const file = 'https://host/a/b/tile.glb?v=1';
  it.each(['x.bin', './c/x.bin', '/a/b/x.bin', 'https://host/a/b/x.bin', 'data:,x'])('takes %s', (uri) => {
    expect(isBesideFile(uri, file)).toBe(true);
  });
  it.each([
    '../x.bin',
    '/a/x.bin',
    '//other/a/b/x.bin',
    'http://host/a/b/x.bin',
    'c/..%2f..%2fx.bin',
    'https://',
    'blob:x',
  ])('does not take %s', (uri) => {
    expect(isBesideFile(uri, file)).toBe(false);
  });
  it('wants an address to compare with', () => {
    expect(() => isBesideFile('x', 'tile.glb')).toThrow(/no absolute URL/);
    expect(isBesideFile('x', pathToFileURL('/tmp/tile.glb').href)).toBe(true);
    expect(isBesideFile('http://x/y', 'data:,x')).toBe(false);
  });
});

describe('isForeignOrigin', () => {
  it.each([
    ['http://a/x', 'http://a/y/', false],
    ['https://a/x', 'http://a/y/', true],
    ['http://a:81/x', 'http://a/y/', true],
    ['http://b/x', '', true],
    ['x.bin', '', false],
    ['data:,x', 'http://a/', false],
  ])('of %s for %s is %s', (url, fileUrl, isForeign) => {
    expect(isForeignOrigin(url, fileUrl)).toBe(isForeign);
  });
});

describe('the loaders send their headers and credentials to the file’s own server alone', () => {
  let own: TestServer;
  let other: TestServer;
  let files: Record<string, Uint8Array>;
  beforeAll(async () => {
    other = await serve((_request, response) => {
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(weights.bytes);
    });
    files = {
      '/far.glb': naming(`${other.url}/w.bin`),
      '/near.glb': naming('w.bin'),
      '/w.bin': weights.bytes,
    };
    own = await serve((request, response) => {
      const bytes = files[request.url ?? ''];
      if (bytes) response.end(bytes);
      else response.writeHead(404).end();
    });
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await own.close();
    await other.close();
  });

  const seenBy = (server: TestServer, from: number) =>
    server.requests.slice(from).map(({ url, headers }) => [url, headers['x-token']]);

  it('NSDFLoader', async () => {
    const loader = new NSDFLoader(new LoadingManager()).setTolerance(0.1);
    loader.setRequestHeader({ 'X-Token': 'secret' });
    loader.setWithCredentials(true);
    const from = [own.requests.length, other.requests.length];
    await loader.loadAsync(`${own.url}/far.glb`);
    await loader.loadAsync(`${own.url}/near.glb`);
    expect(seenBy(own, from[0])).toEqual([
      ['/far.glb', 'secret'],
      ['/near.glb', 'secret'],
      ['/w.bin', 'secret'],
    ]);
    expect(seenBy(other, from[1])).toEqual([['/w.bin', undefined]]);
  });

  it.each<[string, ImportMeshOptions]>([
    ['the loader of .nsdf', throughNsdf({ tolerance: 0.1 })],
    ['its glTF loader with the extension', throughGltf({ tolerance: 0.1 })],
  ])('Babylon: %s', async (_name, options) => {
    registerNSDFLoader();
    registerNSDFGLTFExtension();
    const from = other.requests.length;
    WebRequest.CustomRequestHeaders = { 'X-Token': 'secret' };
    try {
      const scene = createScene();
      await importInto(scene, files['/far.glb'], options);
      expect(scene.meshes.some((mesh) => mesh.getTotalVertices() > 0)).toBe(true);
    } finally {
      WebRequest.CustomRequestHeaders = {};
    }
    const seen = seenBy(other, from);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every(([url, token]) => url === '/w.bin' && token === undefined)).toBe(true);
  });

  it('three’s GLTFLoader with the extension', async () => {
    // Node has none, and three's FileLoader reports with it.
    vi.stubGlobal('ProgressEvent', Event);
    const loader = new GLTFLoader(new LoadingManager());
    loader.setRequestHeader({ 'X-Token': 'secret' });
    loader.register((parser) => new GLTFNSDFExtension(parser, { tolerance: 0.1 }));
    const from = other.requests.length;
    // Of another hash: networks that are shown already are not fetched again.
    const far = editJson(files['/far.glb'], (json) => (firstField(json).sha256 = 'ab'.repeat(32)));
    const { scene } = await loader.parseAsync(far.slice().buffer, `${own.url}/`);
    expect(new Scene().add(scene).children).toHaveLength(1);
    expect(seenBy(other, from)).toEqual([['/w.bin', undefined]]);
  });
});

it('an error of a file’s bytes says which file it was', async () => {
  const server = await serve((_request, response) => response.end('<!doctype html>'));
  const loading = new NSDFLoader().loadAsync(`${server.url}/bunny.nsdf`);
  await expect(loading).rejects.toThrow(/^http:.*\/bunny\.nsdf: not a \.nsdf: the file is an HTML page/);
  await server.close();
});
