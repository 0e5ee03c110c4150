import { describe, expect, test, vi } from 'vitest';
import type { DeriveProgress } from '../../src/options.ts';
import { drive, runJob } from '../../src/pipeline/drive.ts';
import { makeToyAsset, TOY_JOB } from './toy-job.ts';

const FREE = { throwIfCancelled: () => {}, onProgress: () => {} };

function* countTo(n: number, onClose = () => {}): Generator<DeriveProgress, number, void> {
  try {
    for (let i = 1; i <= n; i++) yield { stage: 'edges', fraction: i / n };
    return n;
  } finally {
    onClose();
  }
}

describe('drive', () => {
  test("gives the generator's result", async () => {
    expect(await drive(countTo(1000), FREE)).toBe(1000);
  });

  test('serves the event loop before the first step and between slices', async () => {
    const events: string[] = [];
    const note = (): void => {
      events.push('event');
      waiting = setImmediate(note); // for the next look
    };
    let waiting = setImmediate(note);
    let nowMs = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    function* work(): Generator<DeriveProgress, void, void> {
      for (let i = 1; i <= 8; i++) {
        nowMs += 9;
        events.push('step');
        yield { stage: 'edges', fraction: i / 8 };
      }
    }
    await drive(work(), FREE);
    clock.mockRestore();
    clearImmediate(waiting);
    expect(events.slice(0, 16)).toEqual(Array.from({ length: 8 }, () => ['event', 'step']).flat());
  });

  test.each([
    [1, 8],
    [3, 2],
    [4, 2],
    [8, 1],
    [30, 1],
  ])(
    'where a step takes %i ms, a slice has %i of them: 8 ms at most, or one step',
    async (stepMs, nSteps) => {
      let nowMs = 0;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
      function* work(): Generator<DeriveProgress, void, void> {
        for (let i = 1; i <= 40; i++) {
          nowMs += stepMs;
          yield { stage: 'edges', fraction: i / 40 };
        }
      }
      const starts: number[] = [];
      await drive(work(), { ...FREE, throwIfCancelled: () => starts.push(nowMs) });
      clock.mockRestore();
      const slices = starts.slice(1).map((start, i) => start - starts[i]);
      // The first has no step before it to go by, and the last call is at the end.
      expect(new Set(slices.slice(1, -1))).toEqual(new Set([nSteps * stepMs]));
      expect(slices[0]).toBeLessThanOrEqual(Math.max(8, stepMs));
    },
  );

  test('runs many short steps in one slice', async () => {
    let nSlices = 0;
    await drive(countTo(1000), { throwIfCancelled: () => {}, onProgress: () => nSlices++ });
    expect(nSlices).toBeLessThan(100);
  });

  test('reports every stage, however short', async () => {
    const stages = ['partition', 'settle', 'edges', 'faces'] as const;
    function* short(): Generator<DeriveProgress, number, void> {
      for (const stage of stages) yield { stage, fraction: 0 };
      return 1;
    }
    const reported: string[] = [];
    await drive(short(), { throwIfCancelled: () => {}, onProgress: ({ stage }) => reported.push(stage) });
    // A slice that takes long on a busy machine reports its stage again.
    expect([...new Set(reported)]).toEqual(stages);
  });

  test('does not give the result of a job that was cancelled in its last slice', async () => {
    const controller = new AbortController();
    const control = {
      throwIfCancelled: () => controller.signal.throwIfAborted(),
      onProgress: () => controller.abort(new Error('enough')),
    };
    await expect(drive(countTo(2), control)).rejects.toThrow('enough');
  });

  test.each(['throwIfCancelled', 'onProgress'] as const)(
    'closes the generator when %s throws',
    async (hook) => {
      const stop = new Error('stop');
      let isClosed = false;
      function* forever(): Generator<DeriveProgress, number, void> {
        try {
          for (;;) yield { stage: 'edges', fraction: 0 };
        } finally {
          isClosed = true;
        }
      }
      const steps = forever();
      steps.next();
      const control = {
        ...FREE,
        [hook]: () => {
          throw stop;
        },
      };
      await expect(drive(steps, control)).rejects.toBe(stop);
      expect(isClosed).toBe(true);
    },
  );
});

describe('runJob', () => {
  const run = async (options: object) => {
    const progress: DeriveProgress[] = [];
    const surface = await runJob(TOY_JOB, makeToyAsset('works', 30), options, {
      throwIfCancelled: () => {},
      onProgress: (step) => progress.push(step),
    });
    return { surface, progress };
  };

  test('reports progress that never falls and ends at 1', async () => {
    const { progress } = await run({ resolution: 6 });
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(new Set(progress.map(({ stage }) => stage))).toEqual(new Set(['partition', 'edges', 'normals']));
  });

  test('simplifies only a surface that has too many vertices', async () => {
    const few = await run({ maxVertices: 4 });
    expect(few.surface.stats.nVertices).toBe(4);
    expect(few.progress.at(-1)).toEqual({ stage: 'simplify', fraction: 1 });
    const enough = await run({ maxVertices: 10 });
    expect(enough.surface.stats.nVertices).toBe(10);
    expect(enough.progress.map(({ stage }) => stage)).not.toContain('simplify');
    expect(enough.progress.at(-1)?.fraction).toBe(1);
  });

  test('splits normals last', async () => {
    const plain = await run({ creaseAngle: 30 });
    expect(plain.surface.stats.nVertices).toBe(11);
    expect(plain.progress.at(-1)).toEqual({ stage: 'normals', fraction: 1 });
    const simplified = await run({ maxVertices: 4, creaseAngle: 30 });
    expect(simplified.surface.stats.nVertices).toBe(5);
    const fractions = simplified.progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });
});
