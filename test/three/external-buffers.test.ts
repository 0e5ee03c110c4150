import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packWeights } from '../../src/format/packed-weights.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { until } from '../pipeline/event-turns.ts';
import { recordingManager } from './field-server.ts';
import { serve, type TestServer } from './serve.ts';

const REGION = { min: [-1, -1, -1], max: [0.1, 1, 1] } as const;

describe('a file whose weights lie beside it', () => {
  const asset = sphereField({ cells: [4] });
  let server: TestServer;
  beforeAll(async () => {
    const weights = await packWeights(asset, { uri: 'the%20weights.bin' });
    const tile = writeNsdf({ ...asset, region: REGION, tolerance: 0.02 }, { weights });
    const files: Record<string, Uint8Array> = {
      '/tiles/tile.glb': tile,
      '/tiles/the%20weights.bin': weights.bytes,
      '/lost/tile.glb': tile,
      '/slow/tile.glb': tile,
      '/short/tile.glb': tile,
      '/short/the%20weights.bin': weights.bytes.slice(0, 8),
    };
    server = await serve((request, response) => {
      const bytes = files[request.url ?? ''];
      if (request.url === '/slow/the%20weights.bin') response.writeHead(200).write('x');
      else if (bytes) response.end(bytes);
      else response.writeHead(404).end();
    });
  });
  afterAll(() => server.close());

  it('loads with them, and shows the region at its tolerance', async () => {
    const { manager, log } = recordingManager();
    const { fields } = await new NSDFLoader(manager).loadAsync(`${server.url}/tiles/tile.glb`);
    expect(fields[0].stats?.toleranceLocal).toBe(0.02);
    const box = fields[0].geometry!.boundingBox!;
    expect(box.max.x).toBeCloseTo(0.1, 6);
    expect(box.min.x).toBeLessThan(-0.4);
    expect(log).toContain('progress the%20weights.bin 1/2');
    expect(log.at(-1)).toBe('load');
  });

  it('asks for the same bytes once', async () => {
    const before = server.requests.length;
    await new NSDFLoader().loadAsync(`${server.url}/tiles/tile.glb`);
    expect(server.requests.slice(before).map(({ url }) => url)).toEqual([
      '/tiles/tile.glb',
      '/tiles/the%20weights.bin',
    ]);
  });

  it('says what is missing, or too short', async () => {
    const { manager, log } = recordingManager();
    await expect(new NSDFLoader(manager).loadAsync(`${server.url}/lost/tile.glb`)).rejects.toThrow(
      /404 Not Found for .*weights\.bin/,
    );
    expect(log).toContain('error the%20weights.bin');
    await expect(new NSDFLoader().loadAsync(`${server.url}/short/tile.glb`)).rejects.toThrow(
      /the%20weights\.bin has 8 bytes, expected at least/,
    );
  });

  it('stops on abort while they are on their way', async () => {
    const controller = new AbortController();
    const loader = new NSDFLoader().setSignal(controller.signal);
    const loading = loader.loadAsync(`${server.url}/slow/tile.glb`);
    await until(() => server.requests.at(-1)?.url === '/slow/the%20weights.bin');
    controller.abort(new Error('enough'));
    await expect(loading).rejects.toThrow('enough');
  });
});
