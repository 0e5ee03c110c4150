import { describe, expect, it } from 'vitest';
import { NsdfBudgetError, NsdfLoadError } from '../../src/index.ts';
import { FakePage, fakeLadder } from './fake-levels.ts';

/** At 15 units, level 0 is fine enough; at 5.5 level 1, at 2 level 2; at 0.7 exact. */
const [FAR, MIDDLE, NEAR, CLOSE] = [15, 5.5, 2, 0.7];
const openNames = (page: FakePage) => page.open.map(({ level }) => level.name);

describe('the order in which levels are made', () => {
  it('makes the preview first, then the level that is wanted, and no other', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    page.frame();
    expect(openNames(page)).toEqual(['preview']);
    expect(field.shown).toBeUndefined();
    await page.finishNext();
    expect(field.shown).toBe('preview');
    page.frame();
    expect(openNames(page)).toEqual(['tolerance 0.01']);
    await page.finishNext();
    page.frame();
    expect(field.shown).toBe('tolerance 0.01');
    expect(field.events).toEqual(['ready preview', 'ready tolerance 0.01', 'evicted preview']);
    expect(field.freed).toEqual(['preview']);
    expect(page.open).toEqual([]);
  });

  it('without a preview makes the coarse level first, and keeps it', async () => {
    const page = new FakePage();
    const field = page.add(CLOSE, { ladder: fakeLadder(false) });
    page.frame();
    expect(openNames(page)).toEqual(['tolerance 0.1']);
    await page.finishNext();
    page.frame();
    expect(openNames(page)).toEqual(['exact']);
    await page.finishNext();
    expect(field.store.levels.map(({ status }) => status)).toEqual(['ready', 'absent', 'absent', 'ready']);
    page.frame();
    expect(page.open).toEqual([]);
  });

  it('replaces the preview by the coarse level where no eye sees the object', async () => {
    const page = new FakePage({ lingerMs: 0 });
    const field = page.add(NEAR);
    field.aside = 1e3;
    page.frame();
    expect(await page.finishNext()).toBe('preview');
    page.frame();
    expect(await page.finishNext()).toBe('tolerance 0.1');
    page.frame();
    expect(field.store.preview?.status).toBe('absent');
    expect(page.open).toEqual([]);
  });

  it('serves first pictures, then what gains most on screen', async () => {
    const page = new FakePage();
    const [far, near] = [page.add(FAR), page.add(NEAR)];
    page.frame();
    // One job more than may run, as both make first pictures; the larger object's is first.
    expect(page.open.map(({ field }) => field)).toEqual([near, far]);
    await page.finishNext();
    await page.finishNext();
    page.frame();
    expect(page.open.map(({ field }) => field)).toEqual([near]);
    await page.finishNext();
    page.frame();
    expect(page.open.map(({ field }) => field)).toEqual([far]);
  });

  it('makes a first picture beside a long job, but never two finer levels at once', async () => {
    const page = new FakePage();
    page.add(NEAR);
    page.frame();
    await page.finishNext();
    page.frame();
    page.add(CLOSE);
    page.frame();
    expect(openNames(page)).toEqual(['tolerance 0.01', 'preview']);
    await page.open[1].finish();
    page.tick();
    page.frame();
    expect(page.scheduler.stats.nRunning).toBe(1);
  });
});

describe('what is on screen', () => {
  it('stays until its replacement is ready, towards finer and towards coarser levels', async () => {
    const page = new FakePage({ maxConcurrent: 2 });
    const field = page.add(FAR);
    const path = [FAR, MIDDLE, NEAR, CLOSE, NEAR, MIDDLE, FAR, FAR];
    let hasHadPicture = false;
    for (const distance of path) {
      field.distance = distance;
      for (let i = 0; i < 3; i++) {
        page.frame();
        if (hasHadPicture) expect(field.shown).toBeDefined();
        hasHadPicture ||= field.shown !== undefined;
        if (page.open.length > 0) await page.finishNext();
        if (hasHadPicture) expect(field.selector.shown?.status).toBe('ready');
      }
      page.frame();
      expect(field.selector.shown).toBe(field.selector.wanted);
    }
    expect(field.shown).toBe('tolerance 0.1');
  });

  it('shows the finer level, not the coarser, while the one wanted is missing', async () => {
    const page = new FakePage();
    const field = page.add(CLOSE, { ladder: fakeLadder(false) });
    page.frame();
    await page.finishNext();
    page.frame();
    await page.finishNext();
    field.distance = NEAR;
    page.frame();
    expect(field.shown).toBe('exact');
    expect(openNames(page)).toEqual(['tolerance 0.01']);
  });

  it('clones share levels, and each shows its own', async () => {
    const page = new FakePage({ maxConcurrent: 4 });
    const field = page.add(NEAR);
    const clone = field.createSelector();
    const draw = (): void => {
      page.nowMs += 16;
      field.distance = NEAR;
      field.look();
      field.distance = FAR;
      field.look(clone);
      page.tick();
    };
    draw();
    expect(openNames(page)).toEqual(['preview']);
    await page.finishNext();
    draw();
    expect(openNames(page).sort()).toEqual(['tolerance 0.01', 'tolerance 0.1']);
    await page.finishNext();
    await page.finishNext();
    draw();
    expect([field.shown, clone.shown?.name]).toEqual(['tolerance 0.01', 'tolerance 0.1']);
    clone.dispose();
    expect(page.scheduler.stats.nObjects).toBe(1);
    field.selector.dispose();
    expect(page.scheduler.stats).toMatchObject({ nObjects: 0, nBytes: 0 });
  });

  it('two cameras in a frame share the finer choice', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    for (let i = 0; i < 3; i++) {
      page.nowMs += 16;
      for (const distance of i % 2 ? [FAR, NEAR] : [NEAR, FAR]) {
        field.distance = distance;
        field.look();
      }
      page.tick();
      if (i === 0) await page.finishNext();
      else expect(openNames(page)).toEqual(['tolerance 0.01']);
    }
    expect(page.scheduler.stats.nCancelled).toBe(0);
  });
});

describe('cancelling', () => {
  const begin = async (options = {}) => {
    const page = new FakePage(options);
    const field = page.add(NEAR);
    page.frame();
    await page.finishNext();
    page.frame();
    return { page, field, job: page.open[0] };
  };

  it('ends a job for a level that is too fine by now', async () => {
    const { page, field, job } = await begin();
    field.distance = FAR;
    page.frame();
    expect(job.signal.aborted).toBe(true);
    expect(job.signal.reason).toMatchObject({ name: 'AbortError' });
    expect(openNames(page)).toEqual(['tolerance 0.1']);
    expect(field.store.levels[2].status).toBe('absent');
  });

  it('goes on with a level that is on the way to the one wanted', async () => {
    const { page, field, job } = await begin();
    field.distance = CLOSE;
    page.frame();
    expect(job.signal.aborted).toBe(false);
    await page.finishNext();
    page.frame();
    expect(field.shown).toBe('tolerance 0.01');
    expect(openNames(page)).toEqual(['exact']);
  });

  it('ends a job a while after its object left the view, not at once', async () => {
    const { page, field, job } = await begin({ lingerMs: 100 });
    field.aside = 1e3;
    page.frame(50);
    expect(job.signal.aborted).toBe(false);
    page.frame(100);
    expect(job.signal.aborted).toBe(true);
    expect(openNames(page)).toEqual(['tolerance 0.1']);
  });

  it('ends the jobs of an object that was taken out of the scene while others are drawn', async () => {
    const { page, field, job } = await begin({ maxConcurrent: 1 });
    page.fields.splice(0, 1);
    const other = page.add(FAR);
    for (let i = 0; i < 150; i++) page.frame();
    expect(job.signal.aborted).toBe(true);
    expect(field.store.levels[2].status).toBe('absent');
    expect(page.open.every((open) => open.field === other || open.level.index <= 0)).toBe(true);
  });

  it('does nothing where nothing is drawn: a picture drawn on demand gets its level', async () => {
    const { page, field, job } = await begin();
    page.nowMs += 1e6;
    for (let i = 0; i < 5; i++) page.tick();
    expect(job.signal.aborted).toBe(false);
    await page.finishNext();
    expect(field.events.at(-2)).toBe('ready tolerance 0.01');
  });

  it('of a disposed object everything ends, and nothing is left', async () => {
    const { page, field, job } = await begin();
    page.fields.pop();
    field.selector.dispose();
    expect(job.signal.aborted).toBe(true);
    expect(page.scheduler.stats).toMatchObject({ nObjects: 0, nRunning: 0, nBytes: 0 });
    await job.finish();
    page.tick();
    expect(field.store.levels[2].status).toBe('absent');
  });

  it('a disposed object that is drawn again comes back', async () => {
    const { page, field } = await begin();
    field.selector.dispose();
    page.frame();
    expect(field.shown).toBe('preview');
    expect(openNames(page)).toEqual(['tolerance 0.01']);
  });
});

describe('pausing', () => {
  it('starts nothing, finishes what is at work, and goes on', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    page.frame();
    page.scheduler.pause();
    await page.finishNext();
    page.frame();
    expect(field.shown).toBe('preview');
    expect(page.open).toEqual([]);
    page.scheduler.resume();
    page.tick();
    expect(openNames(page)).toEqual(['tolerance 0.01']);
    page.scheduler.pause({ cancelRunning: true });
    expect(page.open).toEqual([]);
    page.scheduler.resume();
    page.tick();
    expect(openNames(page)).toEqual(['tolerance 0.01']);
  });
});

describe('the byte budget', () => {
  /** Objects that all have their coarse and their fine level. */
  const fill = async (page: FakePage, n: number) => {
    const fields = Array.from({ length: n }, () => page.add(NEAR, { ladder: fakeLadder(false) }));
    for (let i = 0; i < 2 * n; i++) {
      page.frame();
      while (page.open.length > 0) await page.finishNext(page.open[0].level.index === 0 ? 10 : 100);
    }
    return fields;
  };

  it('evicts what was on screen longest ago, and neither the coarse level nor what is on screen', async () => {
    const page = new FakePage({ maxBytes: 1e6, lingerMs: 0 });
    const fields = await fill(page, 4);
    expect(page.scheduler.stats.nBytes).toBe(440);
    for (const index of [2, 0, 1]) {
      fields[index].aside = 1e3;
      page.frame();
    }
    page.scheduler.maxBytes = 300;
    page.frame();
    expect(fields.map(({ freed }) => freed.length)).toEqual([1, 0, 1, 0]);
    expect(fields[2].events.at(-1)).toBe('evicted tolerance 0.01');
    page.scheduler.maxBytes = 1;
    page.frame();
    expect(fields.map(({ freed }) => freed.length)).toEqual([1, 1, 1, 0]);
    expect(page.scheduler.stats).toMatchObject({ nBytes: 140, nEvicted: 3 });
    expect(fields.map(({ shown }) => shown)).toEqual([
      'tolerance 0.1',
      'tolerance 0.1',
      'tolerance 0.1',
      'tolerance 0.01',
    ]);
  });

  it('makes no further fine levels once it is spent, but every coarse one', async () => {
    const page = new FakePage({ maxBytes: 150, lingerMs: 0 });
    const fields = await fill(page, 4);
    const ready = fields.map(({ store }) => store.levels.filter(({ status }) => status === 'ready').length);
    expect(ready.filter((n) => n === 2).length).toBeGreaterThan(0);
    expect(ready.filter((n) => n === 2).length).toBeLessThan(4);
    expect(fields.every(({ store }) => store.levels[0].status === 'ready')).toBe(true);
  });

  it('where previews come first it makes the coarse levels when bytes run short, so that fine ones can go', async () => {
    const page = new FakePage({ maxBytes: 1e6, lingerMs: 0 });
    const field = page.add(NEAR);
    page.frame();
    await page.finishNext(10);
    page.frame();
    await page.finishNext(100);
    page.frame();
    expect(page.open).toEqual([]);
    page.scheduler.maxBytes = 50;
    field.aside = 1e3;
    page.frame();
    expect(field.shown).toBe('tolerance 0.01');
    expect(openNames(page)).toEqual(['tolerance 0.1']);
    await page.finishNext(10);
    page.frame();
    expect(field.shown).toBe('tolerance 0.1');
    expect(page.scheduler.stats.nBytes).toBe(10);
  });

  it("drops a level over the object's own limit, remembers it, and shows the one below", async () => {
    const page = new FakePage();
    const field = page.add(NEAR, { limits: { maxTriangles: 60 } });
    page.frame();
    await page.finishNext();
    page.frame();
    expect(await page.finishNext(1000)).toBe('tolerance 0.01');
    expect(field.shown).toBe('preview');
    page.frame();
    expect(await page.finishNext(100)).toBe('tolerance 0.03');
    page.frame();
    expect(field.shown).toBe('tolerance 0.03');
    expect(page.open).toEqual([]);
    expect(page.jobs).toHaveLength(3);
  });
});

describe('failures', () => {
  it('a lost worker is tried again later, three times in all', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    for (const waitMs of [1000, 4000]) {
      page.frame();
      await page.failNext(new NsdfLoadError('lost'));
      page.frame();
      expect(page.open).toEqual([]);
      page.frame(waitMs);
    }
    await page.failNext(new NsdfLoadError('lost'));
    expect(field.store.preview?.status).toBe('failed');
    expect(field.events).toEqual(['failed preview', 'failed preview', 'failed preview']);
    page.frame();
    expect(openNames(page)).toEqual(['tolerance 0.1']);
  });

  it('another error is final: the level below is shown', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    page.frame();
    await page.finishNext();
    page.frame();
    await page.failNext(new NsdfBudgetError('too much', 2, 1));
    expect(field.store.levels[2].status).toBe('failed');
    page.frame();
    expect(openNames(page)).toEqual(['tolerance 0.03']);
  });
});

describe('what a caller waits for', () => {
  it('is made before all else, seen or not', async () => {
    const page = new FakePage();
    const [seen, hidden] = [page.add(NEAR), page.add(NEAR)];
    hidden.aside = 1e3;
    const wanted = hidden.store.demand(hidden.store.levels[3]);
    page.frame();
    expect(page.open.map(({ field, level }) => [field === hidden, level.name])).toEqual([
      [true, 'exact'],
      [false, 'preview'],
    ]);
    await page.finishNext();
    await expect(wanted).resolves.toMatchObject({ name: 'exact', status: 'ready' });
    expect(seen.shown).toBeUndefined();
    await expect(hidden.store.demand(hidden.store.levels[3])).resolves.toBeDefined();
  });

  it('rejects with the abort, with the error, and when the object is disposed', async () => {
    const page = new FakePage();
    const field = page.add(NEAR);
    const [level] = field.store.levels;
    const controller = new AbortController();
    const aborted = field.store.demand(level, controller.signal);
    field.selector.begin();
    page.tick();
    controller.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    // The coarse level is of use all the same.
    expect(await page.finishNext()).toBe('tolerance 0.1');
    const failed = field.store.demand(field.store.levels[3]);
    page.tick();
    expect(openNames(page)).toEqual(['exact']);
    await page.failNext(new NsdfLoadError('lost'));
    await expect(failed).rejects.toBeInstanceOf(NsdfLoadError);
    const disposed = field.store.demand(field.store.levels[2]);
    field.selector.dispose();
    await expect(disposed).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the cost of a frame', () => {
  it.each([100, 1000])('grows with the objects alone: %d are each looked at once', async (n) => {
    const page = new FakePage({ maxConcurrent: 4 });
    let nLooks = 0;
    for (let i = 0; i < n; i++) {
      const field = page.add(1 + i / 10);
      const { selector } = field;
      const choose = selector.choose.bind(selector);
      selector.choose = () => {
        nLooks++;
        return choose();
      };
    }
    page.frame();
    let nPriorities = 0;
    for (const { store } of page.fields) {
      // What the scheduler reads of every field to rank it: its levels.
      const { levels } = store;
      Object.defineProperty(store, 'levels', {
        get: () => {
          nPriorities++;
          return levels;
        },
      });
    }
    nLooks = 0;
    for (let frame = 0; frame < 20; frame++) {
      for (const field of page.fields) field.distance *= 1.001;
      page.frame();
      if (page.open.length > 0) await page.finishNext();
    }
    expect(nLooks).toBe(20 * n);
    expect(nPriorities).toBeLessThanOrEqual(20 * 12 * n);
  });
});
