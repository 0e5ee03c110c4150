import { FileLoader, Loader, LoadingManager } from 'three';
import { expect, it, vi } from 'vitest';
import { JobManager } from '../../src/three/download.ts';

it('passes items, URL modifier and handlers through to the application', () => {
  const application = new LoadingManager().setURLModifier((url) => `cdn/${url}`);
  const handler = new FileLoader();
  application.addHandler(/\.tex$/, handler);
  const [onStart, onProgress, onError, onLoad] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  Object.assign(application, { onStart, onProgress, onError, onLoad });
  const job = new JobManager(application, new AbortController());
  job.itemStart('a');
  job.itemError('a');
  job.itemEnd('a');
  expect(onStart).toHaveBeenCalledWith('a', 0, 1);
  expect(onError).toHaveBeenCalledWith('a');
  expect(onProgress).toHaveBeenCalledWith('a', 1, 1);
  expect(onLoad).toHaveBeenCalledOnce();
  expect(job.resolveURL('b')).toBe('cdn/b');
  expect(job.getHandler('c.tex')).toBe(handler);
});

it('has the abort signal of its job, not that of the application', () => {
  const application = new LoadingManager();
  const controller = new AbortController();
  const job = new JobManager(application, controller);
  expect(new Loader(job).manager.abortController).toBe(controller);
  application.abort();
  expect(controller.signal.aborted).toBe(false);
});
