import { afterAll } from 'vitest';
import { deriveMesh, disposeGpu, disposeWorkers } from '../../src/index.ts';
import { type DeriveOn, describeDerivation } from './describe-derivation.ts';

afterAll(() => {
  disposeGpu();
  disposeWorkers();
});

const on =
  (backend: 'cpu' | 'worker' | 'gpu'): DeriveOn =>
  (asset, options) =>
    deriveMesh(asset, { ...options, backend, cache: false });

describeDerivation('worker', on('worker'), on('cpu'));
describeDerivation('gpu', on('gpu'), on('cpu'));
