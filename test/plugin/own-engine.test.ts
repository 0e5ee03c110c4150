import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { writeNsdf } from '../../src/format/write.ts';
import { NsdfArgumentError, NsdfFormatError } from '../../src/index.ts';
import { createScheduler, type Eye } from '../../src/lod/index.ts';
import { sphereField } from '../fixtures/fields.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';
import { serve, type TestServer } from '../three/serve.ts';
import { type FieldNode, Node, OwnLoader } from './own-engine.ts';

// Parts of src/plugin as a third engine takes them: one that neither three.js nor Babylon.js was made for.
const BALL = writeNsdf({ ...sphereField({ cells: [4] }), name: 'ball' });
const BUNNY = readFileSync(new URL('../fixtures/bunny-S.nsdf', import.meta.url));

let server: TestServer | undefined;
let release = (): void => {};
afterEach(() => server?.close());

/** Serves the ball as /ball, the bunny as /bunny: its first two thirds, the rest when that is released. */
async function serveFiles(): Promise<string> {
  server = await serve(({ url }, response) => {
    if (url === '/bad') return response.end('<html>');
    if (url === '/ball') return response.end(BALL);
    response.setHeader('Content-Length', BUNNY.length).write(BUNNY.subarray(0, (BUNNY.length * 2) / 3));
    release = () => response.end(BUNNY.subarray((BUNNY.length * 2) / 3));
    return undefined;
  });
  return server.url;
}

const eyeAt = (z: number): Eye => ({
  viewMatrix: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, -z, 1],
  projectionMatrix: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, -1, 0, 0, -0.02, 0],
  near: 0.01,
  viewportHeight: 1000,
});

test('loads a file, with its mesh in buffers of its own, which it frees', async () => {
  const url = await serveFiles();
  const phases: string[] = [];
  const root = await new OwnLoader({ tolerance: 0.02 }).load(`${url}/ball`, {
    onProgress: ({ phase }) => phases.push(phase),
  });
  const [ball] = root.children as FieldNode[];
  const { buffers } = ball;
  expect(ball.name).toBe('ball');
  expect(buffers?.stats).toMatchObject({ toleranceLocal: 0.02, isWithinTolerance: true });
  expect(buffers?.attributes.POSITION.length).toBe(3 * buffers!.stats!.nVertices);
  expect(new Set(phases)).toEqual(new Set(['download', 'derive']));
  await ball.derive({ tolerance: 0.1 });
  expect(buffers?.isFree).toBe(true);
  root.dispose();
  expect(ball.buffers).toBeNull();
});

test('shows the level that an eye asks for, one at a time', async () => {
  const url = await serveFiles();
  const scheduler = createScheduler({ maxConcurrent: 1, now: () => 0 });
  const lod = { scheduler, levels: [{ tolerance: 0.05 }, { tolerance: 0.005 }] };
  const root = await new OwnLoader({ lod }).load(`${url}/ball`);
  const [ball] = root.children as FieldNode[];
  expect(ball.level?.isPreview).toBe(true);
  for (const [z, name] of [
    [40, 'tolerance 0.05'],
    [2, 'tolerance 0.005'],
  ] as const) {
    await until(() => {
      ball.update([eyeAt(z)]);
      return ball.level?.name === name;
    });
    expect(ball.buffers).toBe(ball.level?.value);
  }
  root.dispose();
  expect(scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0, nBytes: 0 });
});

test('has a rough picture while the file arrives, and nothing of it afterwards', async () => {
  const url = await serveFiles();
  const scene = new Node();
  const loading = new OwnLoader({ tolerance: 0.02 }).load(`${url}/bunny`, { previewIn: scene });
  await until(() => scene.children.length === 1);
  const picture = scene.children[0].children[0].buffers;
  expect(picture?.indices.length).toBeGreaterThan(300);
  release();
  expect((await loading).children).toHaveLength(1);
  expect(scene.children).toEqual([]);
  expect(picture?.isFree).toBe(true);
});

test('ends on an abort, when it is disposed, and on what is no file of ours', async () => {
  const url = await serveFiles();
  const controller = new AbortController();
  let nReports = 0;
  const aborted = new OwnLoader({ tolerance: 1e-5 }).load(`${url}/ball`, {
    signal: controller.signal,
    onProgress: ({ phase }) => {
      nReports++;
      if (phase === 'derive') controller.abort('enough');
    },
  });
  await expect(aborted).rejects.toBe('enough');
  const nBefore = nReports;
  await passTurns(20);
  expect(nReports).toBe(nBefore);
  const loader = new OwnLoader();
  const ended = loader.load(`${url}/bunny`);
  loader.dispose();
  await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  await expect(new OwnLoader().load(`${url}/bad`)).rejects.toBeInstanceOf(NsdfFormatError);
  expect(() => new OwnLoader({ tolerence: 1 } as never)).toThrow(NsdfArgumentError);
});
