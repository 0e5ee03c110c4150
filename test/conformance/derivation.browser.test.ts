import { afterAll } from 'vitest';
import { deriveMesh, disposeGpu, disposeWorkers } from '../../src/index.ts';
import { type DeriveOn, describeSameBytes, describeSameSurface } from './describe-derivation.ts';

afterAll(() => {
  disposeGpu();
  disposeWorkers();
});

const on =
  (backend: 'cpu' | 'worker' | 'gpu'): DeriveOn =>
  (asset, options) =>
    deriveMesh(asset, { ...options, backend, cache: false });

const worker = { backend: 'worker', derive: on('worker'), deriveHere: on('cpu') } as const;
const gpu = { backend: 'gpu', derive: on('gpu'), deriveHere: on('cpu') } as const;

describeSameBytes(worker, false);
describeSameBytes(gpu, true);
// A field that was never trained folds more often than single precision and a limited number of divisions can follow.
describeSameSurface(gpu, ['random, one layer']);
