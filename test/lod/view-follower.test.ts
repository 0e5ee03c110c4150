import { describe, expect, it } from 'vitest';
import type { Box3 } from '../../src/format/asset.ts';
import { ViewFollower } from '../../src/lod/index.ts';
import type { ToleranceBlocks } from '../../src/surface/detail-map.ts';
import { passTurns } from '../pipeline/event-turns.ts';
import { EYE, translation } from './fake-levels.ts';

const DOMAIN: Box3 = { min: [-1, -1, -1], max: [1, 1, 1] };
const OPTIONS = { counts: [1, 1, 1] as const, tolerances: [0.1, 0.01, 0.001] };

/** A maker whose derivations end when the test says so. */
function createMaker() {
  const jobs: { blocks: ToleranceBlocks; signal: AbortSignal; done(): void; fail(error: Error): void }[] = [];
  const errors: unknown[] = [];
  return {
    jobs,
    errors,
    derive: (blocks: ToleranceBlocks, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        jobs.push({ blocks, signal, done: resolve, fail: reject });
      }),
    failed: (error: unknown) => errors.push(error),
  };
}

const tolerances = (blocks: ToleranceBlocks | null) => Array.from(blocks?.tolerances ?? []);

describe('ViewFollower', () => {
  it('derives when the view asks for other tolerances, and not before', async () => {
    const maker = createMaker();
    const follower = new ViewFollower(DOMAIN, maker, OPTIONS);
    follower.update([EYE], translation(0, 0, -200));
    follower.update([EYE], translation(0, 0, -201));
    expect(maker.jobs).toHaveLength(1);
    expect(follower.shown).toBeNull();
    maker.jobs[0].done();
    await passTurns();
    expect(tolerances(follower.shown)).toEqual([0.1]);
    follower.update([EYE], translation(0, 0, -199));
    expect(maker.jobs).toHaveLength(1);
    follower.update([EYE], translation(0, 0, -5));
    expect(tolerances(maker.jobs[1].blocks)).toEqual([0.01]);
    expect(follower.isBusy).toBe(true);
  });

  it('finishes what is at work, then makes what was asked for last', async () => {
    const maker = createMaker();
    const follower = new ViewFollower(DOMAIN, maker, OPTIONS);
    for (const z of [-200, -5, -200, -1.2]) follower.update([EYE], translation(0, 0, z));
    expect(maker.jobs).toHaveLength(1);
    expect(maker.jobs[0].signal.aborted).toBe(false);
    maker.jobs[0].done();
    await passTurns();
    expect(maker.jobs.map(({ blocks }) => tolerances(blocks)[0])).toEqual([0.1, 0.001]);
    maker.jobs[1].done();
    await passTurns();
    expect(follower.isBusy).toBe(false);
    expect(maker.jobs).toHaveLength(2);
  });

  it('reports a failure, keeps what is shown, and goes on with the next change', async () => {
    const maker = createMaker();
    const follower = new ViewFollower(DOMAIN, maker, OPTIONS);
    follower.update([EYE], translation(0, 0, -200));
    maker.jobs[0].fail(new Error('no'));
    await passTurns();
    expect(maker.errors).toEqual([new Error('no')]);
    expect(follower.shown).toBeNull();
    follower.update([EYE], translation(0, 0, -5));
    expect(maker.jobs).toHaveLength(2);
  });

  it('ends its work when disposed, without calling that a failure', async () => {
    const maker = createMaker();
    const follower = new ViewFollower(DOMAIN, maker, OPTIONS);
    follower.update([EYE], translation(0, 0, -200));
    follower.dispose();
    await passTurns();
    expect(maker.jobs[0].signal.aborted).toBe(true);
    expect(maker.errors).toEqual([]);
    follower.update([EYE], translation(0, 0, -5));
    expect(maker.jobs).toHaveLength(1);
  });
});
