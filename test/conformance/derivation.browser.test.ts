import { afterAll } from 'vitest';
import { deriveMesh, disposeWorkers } from '../../src/index.ts';
import { sharedGpu } from '../gpu/shared-gpu.ts';
import { type DeriveOn, describeSameBytes, describeSameSurface } from './describe-derivation.ts';

afterAll(disposeWorkers);

const on =
  (backend: 'cpu' | 'worker' | 'gpu'): DeriveOn =>
  (asset, options) =>
    deriveMesh(asset, { ...options, backend, device: sharedGpu.device, cache: false });

const worker = { backend: 'worker', derive: on('worker'), deriveHere: on('cpu') } as const;
const gpu = { backend: 'gpu', derive: on('gpu'), deriveHere: on('cpu') } as const;

describeSameBytes(worker, false);
describeSameBytes(gpu, true);
// A field that was never trained folds more often than single precision and a limited number of divisions can follow.
describeSameSurface(gpu, ['random, one layer']);
