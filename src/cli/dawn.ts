import { NsdfUnsupportedError } from '../errors.ts';
import { createGpuContext, disposeGpu } from '../gpu/context.ts';

/** A device from Dawn; `close` ends it. */
export interface DawnDevice {
  /** To be held on to: the process aborts once it is collected, with the device in use. */
  readonly gpu: GPU;
  readonly device: GPUDevice;
  readonly close: () => void;
}

/**
 * Opens the machine's GPU through Dawn.
 * @param load for tests: how the package is imported.
 * @throws {NsdfUnsupportedError} if the package is not installed
 * @throws {NsdfGpuError} if there is no adapter
 */
export async function openDawn(
  load: () => Promise<Pick<typeof import('webgpu'), 'create'>> = () => import('webgpu'),
): Promise<DawnDevice> {
  const dawn = await load().catch((cause: unknown) => {
    throw new NsdfUnsupportedError(
      'webgpu',
      'the backend webgpu needs Dawn, which is not installed (npm install webgpu)',
      { cause },
    );
  });
  const gpu = dawn.create([]);
  const context = await createGpuContext(gpu);
  return { gpu, device: context.device, close: () => disposeGpu(context) };
}
