import type { FieldAsset } from '../format/asset.ts';
import type { BytesSource } from '../format/bytes.ts';
import { decodeNeuralFieldWith, type FieldPlace, type GetBufferView } from '../format/decode-neural-field.ts';
import { type MeshFields, type NsdfPrefix, readMeshFieldsWith, readNsdfPrefixWith } from '../format/read.ts';
import { type DecodeTables, decodeRequests, TableStore } from '../format/table-store.ts';
import type { DeriveOptions, WorkerLimit } from '../options.ts';
import { BackendUnavailableError } from './backend.ts';
import { type WorkerBackend, workerBackend } from './backend-worker.ts';

/** Who waits for fields. */
export interface LoadFieldsOptions {
  readonly signal?: AbortSignal;
  /** The share of the page's workers that this counts against. */
  readonly workerLimit?: WorkerLimit;
  /** Of a file that is read several times, as it arrives and when it is whole: its tables are decoded once. */
  readonly tables?: TableStore;
  /** `cpu`: no worker is started. */
  readonly backend?: DeriveOptions['backend'];
}

/**
 * As `readMeshFields`, without keeping this thread: coded tables, of compact files, are decoded in a worker, or here in slices where
 * there is none.
 * @throws {NsdfFormatError} and {NsdfUnsupportedError} as `readNsdf`; {NsdfLoadError} if the worker fails; the signal's reason.
 * @example
 * const [[bunny]] = await loadMeshFields(await (await fetch('bunny.nsdf')).arrayBuffer());
 */
export function loadMeshFields(bytes: BytesSource, options: LoadFieldsOptions = {}): Promise<MeshFields> {
  return readMeshFieldsWith(bytes, decodeAside(workerBackend, options), tablesOf(options));
}

/** As `readNsdfPrefix`, with coded tables decoded as {@link loadMeshFields} does. @throws the signal's reason. */
export function loadNsdfPrefix(
  received: BytesSource,
  options: LoadFieldsOptions = {},
): Promise<NsdfPrefix | null> {
  return readNsdfPrefixWith(received, decodeAside(workerBackend, options), tablesOf(options));
}

function tablesOf({ tables = new TableStore({ isPatient: true }) }: LoadFieldsOptions): TableStore {
  return tables;
}

/** As `decodeNeuralField`, with coded tables decoded as {@link loadMeshFields} does. @throws as it. */
export function loadNeuralField(
  extension: unknown,
  getBufferView: GetBufferView,
  { name, path, ...options }: FieldPlace & LoadFieldsOptions = {},
): Promise<FieldAsset> {
  const place = { ...(name !== undefined && { name }), ...(path !== undefined && { path }) };
  const decode = decodeAside(workerBackend, options);
  return decodeNeuralFieldWith(extension, getBufferView, place, decode, tablesOf(options));
}

/** Decodes tables in a worker, or else here, in slices. */
function decodeAside(
  workers: Pick<WorkerBackend, 'unavailable' | 'decode'>,
  { signal, workerLimit, backend }: LoadFieldsOptions,
): DecodeTables {
  return async (requests) => {
    signal?.throwIfAborted();
    if (backend !== 'cpu' && workers.unavailable() === undefined) {
      try {
        return await workers.decode({ requests, signal, workerLimit });
      } catch (error) {
        if (!(error instanceof BackendUnavailableError)) throw error;
      }
    }
    const { runQuietly } = await import('./drive.ts');
    return runQuietly(decodeRequests(requests), () => signal?.throwIfAborted());
  };
}
