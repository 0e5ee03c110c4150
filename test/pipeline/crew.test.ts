import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { NsdfBudgetError } from '../../src/errors.ts';
import { forestData, gatherTrees } from '../../src/partition/forest.ts';
import { cutIntoSlabs } from '../../src/partition/slabs.ts';
import { Crew, serveCrew } from '../../src/pipeline/crew.ts';
import { type Helpers, TaskQueue } from '../../src/pipeline/drive.ts';
import { PartRunner, type PartTask } from '../../src/pipeline/parts.ts';
import type { DerivedSurface, TaskRunner } from '../../src/pipeline/steps.ts';
import { checkTopology } from '../../src/surface/check-topology.ts';
import { boxOnGridField, randomField, sphereField, withFineLevels } from '../fixtures/fields.ts';
import { settleField } from '../partition/settled.ts';
import { passTurns, until } from './event-turns.ts';
import { runHere } from './run-here.ts';

/** A crew whose helpers run here too, each with a field of its own, behind real ports. */
function hire(nHelpers: number, createRunner: () => TaskRunner) {
  const crew = new Crew(() => {});
  const ran: PartTask['kind'][] = [];
  const leaves = Array.from({ length: nHelpers }, (_, id) => {
    const { port1, port2 } = new MessageChannel();
    crew.join(id, port1);
    const counted = (): TaskRunner => {
      const runner = createRunner();
      return {
        run: (task) => {
          ran.push(task.kind);
          return runner.run(task);
        },
      };
    };
    return serveCrew(port2, counted, () => {});
  });
  return { crew, ran, leaves };
}

/** Everything but the times: typed arrays by their bytes. */
function digest({ stats, ...surface }: DerivedSurface): string {
  const { timeMs: _, ...figures } = stats;
  const hash = createHash('sha256');
  const add = (value: unknown, path: string): void => {
    hash.update(path);
    if (ArrayBuffer.isView(value))
      hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    else if (typeof value === 'object' && value !== null)
      for (const [key, child] of Object.entries(value)) add(child, `${path}/${key}`);
    else hash.update(String(value));
  };
  add({ ...surface, figures }, '');
  return hash.digest('hex');
}

const UNCLEANED: readonly PartTask['kind'][] = ['cull', 'settle', 'fill'];
const FIELDS = [
  {
    name: 'a ball of many boxes',
    asset: sphereField({ cells: [8, 24] }),
    options: { tolerance: 4e-3 },
    kinds: [...UNCLEANED, 'measure'],
  },
  {
    name: 'faces on the planes between slabs',
    asset: boxOnGridField({ nCells: 40 }),
    options: { tolerance: 2e-3 },
    kinds: UNCLEANED,
  },
  {
    name: 'a random field with boxes that are divided',
    asset: randomField(5, { L: 1, base: 12, finest: 12, layers: [4] }),
    options: { tolerance: 0.02, structure: true },
    kinds: [...UNCLEANED, 'thin', 'measure'],
  },
  {
    name: 'cells larger than the boxes',
    asset: withFineLevels(sphereField({ cells: [8] }), 3, { cells: [72], amplitude: 1e-4 }),
    options: { tolerance: 8e-3 },
    kinds: UNCLEANED,
  },
  {
    name: 'the whole complex, and its records',
    asset: randomField(15, { L: 1, base: 12, finest: 12, layers: [2] }),
    options: { exact: true, structure: true, recordsFor: 'hash' },
    kinds: UNCLEANED,
  },
] as const;

describe.each(FIELDS)('$name', ({ asset, options, kinds }) => {
  const alone = runHere(asset, options);

  test('is cut in slabs that meet', async () => {
    const { mesh, stats } = await alone;
    const { table, forest } = settleField(asset, options);
    const { boxes } = forestData(gatherTrees(table.lattice, [{ forest }]), table.lattice);
    expect(cutIntoSlabs(table.lattice, boxes).boxes.length).toBeGreaterThan(1);
    const report = checkTopology(mesh, asset.domain);
    expect(report).toMatchObject({
      isClosed: true,
      isManifold: true,
      isOriented: true,
      nDuplicateVertices: 0,
    });
    expect(stats.nVertices).toBe(report.nVertices);
  });

  test.each([1, 3])('comes to the same bytes with %i helpers', async (nHelpers) => {
    const { crew, ran } = hire(nHelpers, () => new PartRunner(asset, options));
    const surface = await runHere(asset, options, crew);
    crew.dispose();
    expect(digest(surface)).toBe(digest(await alone));
    expect(new Set(ran)).toEqual(new Set(kinds));
  });
});

/** Parts that do nothing but say who they are. */
const idle = (n: number) => ({
  tasks: Array.from(
    { length: n },
    (_, i): PartTask => ({ kind: 'cull', rootBits: 0, within: { from: i, to: i + 1 } }),
  ),
  results: [],
  at: (fraction: number) => ({ stage: 'partition' as const, fraction }),
});

const LAST = 'the last message';
/** Resolves when all that was posted to a port before has arrived at the other, too. */
function allArrived(from: MessagePort, to: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    to.addEventListener('message', ({ data }) => data === LAST && resolve());
    from.postMessage(LAST);
  });
}

test('a helper has the next part already when it ends one, while there is one for everybody', async () => {
  const crew = new Crew(() => {});
  const { port1, port2 } = new MessageChannel();
  crew.join(7, port1);
  const came: number[] = [];
  const note = ({ data }: MessageEvent) => data !== LAST && came.push(data.id);
  port2.onmessage = note;
  const queue = new TaskQueue(idle(6));
  crew.offer(queue);
  crew.offer(queue);
  await allArrived(port1, port2);
  expect(came).toEqual([0, 1]);
  const last = new TaskQueue(idle(3));
  crew.leave(7);
  expect(queue.take()?.id).toBe(0); // both are given back, in their order
  expect(queue.take()?.id).toBe(1);
  const { port1: other, port2: end } = new MessageChannel();
  crew.offer(last);
  crew.join(8, other);
  end.onmessage = note;
  await allArrived(other, end);
  expect(came).toEqual([0, 1, 0]);
  crew.dispose();
  port2.close();
  end.close();
});

test('what a lost helper had is done by somebody else', async () => {
  const crew = new Crew(() => {});
  const { port1, port2 } = new MessageChannel();
  crew.join(7, port1);
  port2.onmessage = () => {}; // never answers
  const queue = new TaskQueue(idle(2));
  crew.offer(queue);
  expect(queue.nWaiting).toBe(1);
  crew.leave(7);
  expect(queue.nWaiting).toBe(2);
  expect(queue.isDone).toBe(false);
  port2.close();
});

test('a helper that leaves ends what it has, and takes no more', async () => {
  const batch = idle(3);
  let left: Promise<void> | undefined;
  const { crew, leaves } = hire(1, () => ({
    *run() {
      left ??= leaves[0](); // told in the middle of its first part
      yield 0.5;
      return { boxes: new Int32Array(0), nBoxes: 0, nTotal: 1, nTested: 1 };
    },
  }));
  const queue = new TaskQueue(batch);
  crew.offer(queue);
  await until(() => left !== undefined);
  await left;
  await passTurns(5);
  expect(batch.results.filter((result) => result !== undefined)).toHaveLength(1);
  expect(queue.nWaiting).toBe(2);
  expect(queue.isDone).toBe(false);
  crew.dispose();
});

test('an error in a part is the error of the job', async () => {
  const asset = sphereField({ cells: [8, 24] });
  const { crew } = hire(1, () => ({
    run: () => {
      throw new NsdfBudgetError('too many', 2, 1);
    },
  }));
  await expect(runHere(asset, { tolerance: 4e-3 }, crew)).rejects.toThrow(NsdfBudgetError);
  crew.dispose();
});

test.each([
  ['nobody is asked for help with what takes no time', 0, 0],
  ['help is asked for once with what takes long', 50, 1],
])('%s', async (_, passMs, nExpected) => {
  let [nowMs, nAsked] = [0, 0];
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    nowMs += passMs;
    return nowMs;
  });
  const helpers: Helpers = new Crew(() => nAsked++);
  await runHere(sphereField({ cells: [8, 24] }), { tolerance: 0.02 }, helpers);
  clock.mockRestore();
  expect(nAsked).toBe(nExpected);
});
