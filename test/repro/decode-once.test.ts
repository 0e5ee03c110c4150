import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { fieldOf } from '../../src/babylon/geometry-field.ts';
import { registerNSDFLoader } from '../../src/babylon/index.ts';
import * as decoding from '../../src/format/decode-field.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { createScene, importInto, throughNsdf } from '../babylon/load.ts';
import { octahedronMlp, sphereField } from '../fixtures/fields.ts';

vi.mock('../../src/format/decode-field.ts', { spy: true });

const ASSETS = [sphereField({ cells: [3] }), octahedronMlp(0.6), { ...octahedronMlp(0.4), name: 'small' }];
const FILE = writeNsdf(ASSETS);
const SETTINGS = { tolerance: 0.1, backend: 'cpu', cache: false } as const;
/** What is in the file, apart from its names and hints. */
const content = ({ layers, encoding, domain }: (typeof ASSETS)[number]) => ({ layers, encoding, domain });

beforeAll(registerNSDFLoader);
beforeEach(() => void vi.mocked(decoding.decodeField).mockClear());

it('a load into three decodes every field once, and holds on to no byte of the file', async () => {
  const bytes = FILE.slice();
  const { fields } = await new NSDFLoader(undefined, SETTINGS).parseAsync(bytes);
  expect(decoding.decodeField).toHaveBeenCalledTimes(ASSETS.length);
  bytes.fill(0);
  expect(fields.map(({ asset }) => content(asset!))).toEqual(ASSETS.map(content));
  const [first] = fields[0].asset!.layers;
  expect(first.weights.buffer.byteLength).toBe(first.weights.byteLength);
});

it('a load into Babylon does, too', async () => {
  const { meshes } = await importInto(createScene(), FILE, throughNsdf(SETTINGS));
  expect(decoding.decodeField).toHaveBeenCalledTimes(ASSETS.length);
  const found = meshes.flatMap(({ geometry }) => fieldOf(geometry)?.sampler.asset ?? []);
  expect(found.map(content)).toEqual(ASSETS.map(content));
});
