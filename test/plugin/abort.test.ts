import { describe, expect, it, vi } from 'vitest';
import { linkedController, raceAbort } from '../../src/plugin/abort.ts';
import { passTurns } from '../pipeline/event-turns.ts';

describe('linkedController', () => {
  it('aborts with the reason of whichever signal goes first', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { controller } = linkedController([first.signal, null, undefined, second.signal]);
    expect(controller.signal.aborted).toBe(false);
    second.abort('enough');
    first.abort('late');
    expect(controller.signal.reason).toBe('enough');
  });

  it('is aborted from the start where a signal is', () => {
    const { controller } = linkedController([AbortSignal.abort('before')]);
    expect(controller.signal.reason).toBe('before');
  });

  it('leaves no listener behind', () => {
    const source = new AbortController();
    const add = vi.spyOn(source.signal, 'addEventListener');
    const remove = vi.spyOn(source.signal, 'removeEventListener');
    const { controller, release } = linkedController([source.signal]);
    release();
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
    source.abort();
    expect(controller.signal.aborted).toBe(false);
  });
});

describe('raceAbort', () => {
  it('passes on what the promise gives', async () => {
    const { signal } = new AbortController();
    await expect(raceAbort(Promise.resolve(7), signal, () => {})).resolves.toBe(7);
    await expect(raceAbort(Promise.reject(new Error('no')), signal, () => {})).rejects.toThrow('no');
  });

  it('rejects at once with the reason, and discards what comes later', async () => {
    const controller = new AbortController();
    const discard = vi.fn();
    let resolve: (value: string) => void = () => {};
    const late = new Promise<string>((settle) => {
      resolve = settle;
    });
    const race = raceAbort(late, controller.signal, discard);
    controller.abort(new Error('stop'));
    await expect(race).rejects.toThrow('stop');
    resolve('late');
    await passTurns();
    expect(discard).toHaveBeenCalledExactlyOnceWith('late');
  });

  it('rejects when the signal had aborted before', async () => {
    const race = raceAbort(Promise.resolve(1), AbortSignal.abort('before'), () => {});
    await expect(race).rejects.toBe('before');
  });
});
