import { type GpuArena, USAGE } from './arena.ts';

/** GPU times of passes, by label. */
export interface Timestamps {
  /** The descriptor of a pass to be timed; passes of one label are added up. */
  pass(label: string): GPUComputePassDescriptor;
  /** Call once, after the last pass and before `finish`. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Where the times are once resolved, for whoever reads them with other things; undefined where there are none. */
  source(): readonly [buffer: GPUBuffer, nBytes: number] | undefined;
  /** Milliseconds by label, of the bytes of `source`. */
  sums(bytes: ArrayBuffer): Readonly<Record<string, number>>;
  /** Milliseconds by label; empty where the adapter has no timestamps. */
  read(): Promise<Readonly<Record<string, number>>>;
  /** Forgets the passes so far. */
  restart(): void;
}

/** @param maxPasses passes that can be timed; the others run untimed. */
export function createTimestamps(arena: GpuArena, stage: string, maxPasses: number): Timestamps {
  const { device, hasTimestamps } = arena.context;
  const labels: string[] = [];
  if (!hasTimestamps) {
    return {
      pass: (label) => ({ label: `nsdf.${label}` }),
      resolve: () => {},
      source: () => undefined,
      sums: () => ({}),
      read: async () => ({}),
      restart: () => {},
    };
  }
  const nBytes = maxPasses * 16;
  const querySet = device.createQuerySet({
    label: `nsdf.${stage}.times`,
    type: 'timestamp',
    count: maxPasses * 2,
  });
  const times = arena.create(`${stage}.times`, nBytes, USAGE.queryResolve | USAGE.copySource);
  return {
    pass(label) {
      const first = labels.length * 2;
      if (labels.length >= maxPasses) return { label: `nsdf.${label}` };
      labels.push(label);
      return {
        label: `nsdf.${label}`,
        timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 },
      };
    },
    resolve(encoder) {
      if (labels.length > 0) encoder.resolveQuerySet(querySet, 0, labels.length * 2, times, 0);
    },
    source: () => (labels.length === 0 ? undefined : [times, labels.length * 16]),
    sums: (bytes) => sumsOf(labels, new BigUint64Array(bytes)),
    async read() {
      const ticks = new BigUint64Array(await arena.read(times, labels.length * 16, stage));
      querySet.destroy();
      return sumsOf(labels, ticks);
    },
    restart() {
      labels.length = 0;
    },
  };
}

function sumsOf(labels: readonly string[], ticks: BigUint64Array): Record<string, number> {
  const sums: Record<string, number> = {};
  labels.forEach((label, i) => {
    const nanoseconds = Number(ticks[i * 2 + 1] - ticks[i * 2]);
    sums[label] = (sums[label] ?? 0) + Math.max(0, nanoseconds) / 1e6;
  });
  return sums;
}
