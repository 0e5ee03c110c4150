import { hasPlanes } from '../format/encodings.ts';
import { type FieldAsset, prepareGpu, readNsdfPrefix } from '../index.ts';
import type { FieldSettings } from './settings.ts';

/** What tells whether a file's fields will be derived on the GPU. */
export type GpuSettings = Pick<FieldSettings, 'backend' | 'output' | 'device'>;

/** Compiles the GPU's kernels for a file's fields while the file arrives. */
export class GpuWarmUp {
  private readonly _settings: GpuSettings;
  private _isDone = false;

  constructor(settings: GpuSettings) {
    this._settings = settings;
  }

  /** Looks at the first bytes, until they tell what the fields are like. */
  update(received: Uint8Array): void {
    if (this._isDone) return;
    const { output, device } = this._settings;
    const { backend = output === 'gpu' ? 'gpu' : 'auto' } = this._settings;
    const prefix = readNsdfPrefix(received);
    const isTold = prefix?.fields.every(
      ({ field: { asset } }) => !hasPlanes(asset.encoding) || prefix.nLevels > 0,
    );
    if (!prefix || prefix.fields.length === 0 || !isTold) return;
    this._isDone = true;
    const options = { nLevels: prefix.nLevelsTotal, backend, ...(device && { device }) };
    // Fields of one shape share their kernels.
    const shapes = new Map(prefix.fields.map(({ field: { asset } }) => [shapeOf(asset), asset]));
    for (const asset of shapes.values()) void prepareGpu(asset, options);
  }

  /** What is being compiled stays: it is there for the next file. */
  end(): void {
    this._isDone = true;
  }
}

function shapeOf({ encoding, layers }: FieldAsset): string {
  const nFeatures = encoding.kind === 'hash-grid' ? encoding.nFeaturesPerLevel : 0;
  return [nFeatures, ...layers.map(({ nOut }) => nOut)].join();
}
