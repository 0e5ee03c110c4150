import { describe, expect, it } from 'vitest';
import { detectSupport } from '../../src/three/nsdf-loader.ts';

describe('detectSupport', () => {
  it('reports what Node lacks, without a renderer', () => {
    expect(detectSupport()).toEqual({
      device: null,
      hasWebGPU: false,
      hasWorkers: false,
      hasIndexedDB: false,
      backends: ['cpu'],
    });
  });

  it('finds the device of a renderer that runs on WebGPU, and none on its WebGL fallback', () => {
    const device = { label: 'the device' };
    expect(detectSupport({ backend: { isWebGPUBackend: true, device } }).device).toBe(device);
    expect(detectSupport({ backend: { isWebGPUBackend: true, device: null } }).device).toBeNull();
    expect(detectSupport({ backend: { isWebGLBackend: true, device } }).device).toBeNull();
    expect(detectSupport({}).device).toBeNull();
  });
});
