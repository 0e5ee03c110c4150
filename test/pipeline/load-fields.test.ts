import { afterEach, describe, expect, it } from 'vitest';
import { NsdfFormatError } from '../../src/errors.ts';
import type { FieldAsset, GridLevel } from '../../src/format/asset.ts';
import { neuralFieldBufferViews } from '../../src/format/decode-neural-field.ts';
import { readMeshFields } from '../../src/format/read.ts';
import { decodeRequests, type TableRequest, TableStore } from '../../src/format/table-store.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { configureWorkers, disposeWorkers } from '../../src/pipeline/backend-worker.ts';
import { loadMeshFields, loadNeuralField, loadNsdfPrefix } from '../../src/pipeline/load-fields.ts';
import { compactField, reseal } from '../fixtures/compact-field.ts';
import { randomField, sphereField } from '../fixtures/fields.ts';
import { editField, firstField, unpack } from '../format/glb-tools.ts';
import { createInProcessWorker, type InProcessWorker } from './in-process-worker.ts';
import { TOY_JOB } from './toy-job.ts';

const DENSE = compactField(sphereField({ cells: [4, 8, 16] }));
const HASHED = compactField(randomField(2, { L: 3, F: 4, T: 7, finest: 9, layers: [5] }));
const FILE = writeNsdf([DENSE, HASHED], { dtype: 'compact' });

let workers: InProcessWorker[] = [];
/** Workers on this thread; `isDeaf` ones never start. */
function useWorkers(isDeaf = false): void {
  workers = [];
  configureWorkers({
    createWorker: () => {
      const worker = createInProcessWorker(isDeaf ? null : TOY_JOB);
      if (isDeaf) setTimeout(() => worker.fail('not allowed here'));
      workers.push(worker);
      return worker;
    },
    warn: false,
  });
}
afterEach(() => {
  disposeWorkers();
  configureWorkers({});
});

/** What workers were asked to decode, message by message. */
const requestsOf = (): TableRequest[][] =>
  workers.flatMap(({ received }) =>
    received.flatMap((message) => (message.kind === 'decode' ? [[...message.requests]] : [])),
  );
const levelsOf = ({ encoding }: FieldAsset): readonly GridLevel[] =>
  encoding.kind === 'hash-grid' ? encoding.levels : [];
/** Ends of the bufferViews in a file. */
const endsOf = (file: Uint8Array): number[] =>
  unpack(file).json.bufferViews.map((view: { byteOffset: number; byteLength: number }) => {
    return unpack(file).binByteOffset + view.byteOffset + view.byteLength;
  });

describe('fields of compact files', () => {
  it('are those that readMeshFields gives, their tables decoded in a worker, by one message', async () => {
    useWorkers();
    expect(await loadMeshFields(FILE)).toEqual(readMeshFields(FILE));
    const [requests, ...others] = requestsOf();
    expect(others).toEqual([]);
    expect(requests).toHaveLength(levelsOf(DENSE).length + levelsOf(HASHED).length);
    expect(requests.slice(0, 3).map(({ coarser }) => coarser)).toEqual([null, 0, 1]);
  });

  it('are written again as they were', async () => {
    useWorkers();
    const fields = (await loadMeshFields(FILE)).flat();
    expect(writeNsdf(fields, { dtype: 'compact' })).toEqual(FILE);
  });

  it('that is no compact file ask for no worker', async () => {
    useWorkers();
    const plain = writeNsdf(DENSE);
    expect(await loadMeshFields(plain)).toEqual(readMeshFields(plain));
    expect(workers).toEqual([]);
  });

  it('are decoded here where no worker starts, or the caller wants none', async () => {
    useWorkers(true);
    expect(await loadMeshFields(FILE)).toEqual(readMeshFields(FILE));
    expect(workers).not.toEqual([]);
    useWorkers();
    expect(await loadMeshFields(FILE, { backend: 'cpu' })).toEqual(readMeshFields(FILE));
    expect(workers).toEqual([]);
  });

  it('end with the signal', async () => {
    useWorkers();
    const controller = new AbortController();
    const loading = loadMeshFields(FILE, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(loading).rejects.toThrow('enough');
  });

  it('that are damaged are named as readMeshFields names them', async () => {
    useWorkers();
    const { bufferView } = firstField(unpack(FILE).json).encoding.levels[1];
    const { byteOffset, byteLength } = unpack(FILE).json.bufferViews[bufferView];
    const begin = unpack(FILE).binByteOffset + byteOffset;
    const damaged = FILE.slice();
    damaged[begin + 12] ^= 0x40;
    const cut = FILE.slice();
    cut.fill(0xff, begin + 40, begin + byteLength);
    reseal(cut.subarray(begin, begin + 8 + new DataView(cut.buffer).getUint32(begin + 4, true)));
    for (const file of [damaged, cut]) {
      const expected = captured(() => readMeshFields(file));
      expect(expected).toBeInstanceOf(NsdfFormatError);
      await expect(loadMeshFields(file)).rejects.toThrow(expected);
    }
    const broken = editField(FILE, (field) => {
      field.valueScale = 0;
    });
    await expect(loadMeshFields(broken)).rejects.toThrow(captured(() => readMeshFields(broken)));
  });

  it('come out of a glTF loader’s hands, too', async () => {
    useWorkers();
    const { json, bin } = unpack(FILE);
    const extension = firstField(json);
    const bytesOf = (index: number): Uint8Array => {
      const { byteOffset = 0, byteLength } = json.bufferViews[index];
      return bin.slice(byteOffset, byteOffset + byteLength);
    };
    expect(neuralFieldBufferViews(extension)).toHaveLength(4);
    const name = DENSE.name;
    expect(await loadNeuralField(extension, bytesOf, { name })).toEqual(DENSE);
    expect(requestsOf().map(({ length }) => length)).toEqual([3]);
  });
});

describe('a compact file that arrives', () => {
  const file = writeNsdf(DENSE, { dtype: 'compact' });

  it('has each of its tables decoded once', async () => {
    useWorkers();
    const tables = new TableStore({ isPatient: true });
    const [, , second, third] = endsOf(file);
    const prefix = await loadNsdfPrefix(file.subarray(0, second), { tables });
    const found = prefix?.fields.flatMap(({ field }) => levelsOf(field.asset).map(({ params }) => params));
    const wanted = levelsOf(DENSE).map(({ params }) => params);
    expect(found).toEqual(wanted.slice(0, 2));
    await loadNsdfPrefix(file.subarray(0, second + 4), { tables });
    expect(third).toBeGreaterThan(second);
    expect((await loadMeshFields(file, { tables })).flat()).toEqual([DENSE]);
    expect(requestsOf().map(({ length }) => length)).toEqual([2, 1]);
  });

  it('is waited for by whoever else reads it meanwhile, and goes on without those who leave', async () => {
    useWorkers();
    const tables = new TableStore({ isPatient: true });
    const controller = new AbortController();
    const [, , second] = endsOf(file);
    const preview = loadNsdfPrefix(file.subarray(0, second), { tables, signal: controller.signal });
    const whole = loadMeshFields(file, { tables });
    expect(await whole).toEqual(readMeshFields(file));
    await preview;
    expect(requestsOf().map(({ length }) => length)).toEqual([2, 1]);

    const others = new TableStore({ isPatient: true });
    const left = loadNsdfPrefix(file.subarray(0, second), { tables: others, signal: controller.signal });
    const loading = loadMeshFields(file, { tables: others });
    controller.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(await loading).toEqual(readMeshFields(file));
  });
});

it('the decoding of a table gives way after every row', () => {
  const [level] = levelsOf(DENSE);
  const { bytes, shape } = requestOf(level);
  const steps = decodeRequests([{ bytes, shape, coarser: null }]);
  let nSteps = 0;
  while (!steps.next().done) nSteps++;
  expect(nSteps).toBe(Math.ceil(level.nEntries / level.resolution) - 1);
});

/** The stream of a field's first level. */
function requestOf(level: GridLevel): Omit<TableRequest, 'coarser'> {
  const { json, bin } = unpack(writeNsdf(DENSE, { dtype: 'compact' }));
  const { byteOffset, byteLength } = json.bufferViews[firstField(json).encoding.levels[0].bufferView];
  const { resolution, scale, offset, nEntries } = level;
  const nFeatures = level.params.length / nEntries;
  return {
    bytes: bin.slice(byteOffset, byteOffset + byteLength),
    shape: { resolution, scale, offset, nEntries, nFeatures },
  };
}

function captured(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
