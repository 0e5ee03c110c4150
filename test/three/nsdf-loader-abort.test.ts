import { LoadingManager } from 'three';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createScheduler } from '../../src/lod/index.ts';
import { NSDFLoader } from '../../src/three/index.ts';
import { passTurns, until } from '../pipeline/event-turns.ts';
import { BALL, recordingManager, SPHERE, serveFields } from './field-server.ts';
import type { TestServer } from './serve.ts';

let server: TestServer;

beforeAll(async () => {
  server = await serveFields();
  return () => server.close();
});

const url = (name: string) => `${server.url}/${name}`;

describe('abort', () => {
  /** Loads at a tolerance that takes long, and calls `whenDeriving` as soon as the derivation runs. */
  function startLong(
    loader: NSDFLoader,
    whenDeriving: () => void,
    signal?: AbortSignal,
    onReport = () => {},
  ) {
    let hasBegun = false;
    loader.setTolerance(1e-5).setProgress(({ phase }) => {
      onReport();
      if (phase !== 'derive' || hasBegun) return;
      hasBegun = true;
      setTimeout(whenDeriving, 0);
    });
    return loader.loadAsync(url('sphere.nsdf'), undefined, signal ? { signal } : {});
  }

  it('ends a download, and the connection', async () => {
    const { manager, log } = recordingManager();
    const loader = new NSDFLoader(manager);
    const pending = loader.loadAsync(url('slow.nsdf'));
    await until(() => server.requests.at(-1)?.url === '/slow.nsdf');
    const request = server.requests.at(-1)!;
    expect(loader.abort()).toBe(loader);
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await until(() => request.destroyed);
    expect(log).toEqual(['start slow.nsdf', 'error slow.nsdf', 'progress slow.nsdf 1/1', 'load']);
  });

  it('ends a derivation, and leaves the loader usable', async () => {
    const loader = new NSDFLoader();
    let nLate = Number.NaN;
    const pending = startLong(
      loader,
      () => {
        loader.abort();
        nLate = 0;
      },
      undefined,
      () => nLate++,
    );
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await passTurns(5);
    expect(nLate).toBe(0);
    loader.setTolerance(0.02).setProgress(null);
    expect((await loader.loadAsync(url('sphere.nsdf'))).fields).toHaveLength(1);
  });

  it('comes from the manager, from a signal of the loader or of the call, with its reason', async () => {
    const manager = new LoadingManager();
    await expect(startLong(new NSDFLoader(manager), () => manager.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
    const ofLoader = new AbortController();
    const loader = new NSDFLoader().setSignal(ofLoader.signal);
    await expect(startLong(loader, () => ofLoader.abort('the loader'))).rejects.toBe('the loader');
    await expect(loader.loadAsync(url('ball.nsdf'))).rejects.toBe('the loader');
    const ofCall = new AbortController();
    const pending = startLong(new NSDFLoader(), () => ofCall.abort('the call'), ofCall.signal);
    await expect(pending).rejects.toBe('the call');
    const before = new NSDFLoader().parseAsync(BALL, { signal: AbortSignal.abort('before') });
    await expect(before).rejects.toBe('before');
  });

  it('of one loader leaves another alone that loads the same file', async () => {
    const [first, second] = [new NSDFLoader(), new NSDFLoader().setTolerance(0.02)];
    const failing = first.loadAsync(url('sphere.nsdf'));
    const loading = second.loadAsync(url('sphere.nsdf'));
    first.abort();
    await expect(failing).rejects.toMatchObject({ name: 'AbortError' });
    expect((await loading).fields).toHaveLength(1);
  });

  it('gives onError an Error even where the reason is none', async () => {
    const controller = new AbortController();
    const loader = new NSDFLoader().setSignal(controller.signal);
    const failure = new Promise<Error>((resolve) =>
      loader.load(url('slow.nsdf'), undefined, undefined, resolve),
    );
    controller.abort('just so');
    expect(await failure).toBeInstanceOf(Error);
    expect(await failure).toMatchObject({ message: 'just so', cause: 'just so' });
  });

  it('takes its listeners off every signal when a job is done', async () => {
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, 'addEventListener');
    const remove = vi.spyOn(controller.signal, 'removeEventListener');
    await new NSDFLoader().setSignal(controller.signal).parseAsync(BALL);
    expect(add.mock.calls.length).toBe(remove.mock.calls.length);
  });

  it('comes with dispose, after which the loader still loads', async () => {
    const loader = new NSDFLoader();
    const pending = loader.loadAsync(url('slow.nsdf'));
    loader.dispose();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    expect((await loader.loadAsync(url('ball.nsdf'))).fields).toHaveLength(1);
  });

  it("with dispose ends the levels that are being made, and no other loader's", async () => {
    const scheduler = createScheduler({ maxConcurrent: 2 });
    const lod = { scheduler, levels: [{ tolerance: 1e-5 }], preview: 6 };
    const load = async () => {
      const loader = new NSDFLoader(undefined, { backend: 'cpu', cache: false, lod });
      const { fields } = await loader.parseAsync(SPHERE);
      const level = fields[0].loadLevel('finest').then(
        () => 'made',
        (reason: Error) => reason.name,
      );
      await until(() => fields[0].ladder[0].status === 'making');
      return { loader, field: fields[0], level };
    };
    const [mine, other] = [await load(), await load()];
    expect(scheduler.stats).toMatchObject({ nRunning: 2, nObjects: 2 });
    mine.loader.dispose();
    expect(await mine.level).toBe('AbortError');
    expect(scheduler.stats).toMatchObject({ nRunning: 1, nObjects: 1, nCancelled: 1 });
    expect(mine.field.ladder[0].status).toBe('absent');
    expect(mine.field.level?.isPreview).toBe(true); // what is shown stays
    expect(other.field.ladder[0].status).toBe('making');
    other.loader.dispose();
    expect(await other.level).toBe('AbortError');
    expect(scheduler.stats.nRunning).toBe(0);
  });
});
