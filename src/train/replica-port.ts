import { concat } from '../arrays.ts';
import { NsdfLoadError } from '../errors.ts';
import type { Box3 } from '../format/asset.ts';
import { BackendUnavailableError } from '../pipeline/backend.ts';
import { collectBuffers } from '../pipeline/buffers.ts';
import { fromWire, toWire, type WireError } from '../pipeline/error-wire.ts';
import type { WorkerLike } from '../pipeline/worker-host.ts';
import { createEventYield, type EventYield } from '../pipeline/yield-to-events.ts';
import { type ColoredTriangles, type ColorSource, colorSourceOf } from './color-source.ts';
import { type DistanceSource, MeshSource, type SamplePools } from './distance-source.ts';
import {
  type Parameters,
  Replica,
  type ReplicaSetup,
  type SparseGradient,
  type StepError,
  type TrainingState,
} from './replica.ts';
import type { KernelKind } from './training-kernel.ts';
import { prepareMesh, type TrainingMesh } from './training-mesh.ts';

/** What can be asked of a replica: names, arguments, answers. */
export interface ReplicaCalls {
  makePool: { arguments: [kind: keyof SamplePools, first: number, end: number]; answer: Float64Array };
  distancesAtVertices: { arguments: [level: number, first: number, end: number]; answer: Float64Array };
  distances: { arguments: [points: Float64Array]; answer: Float64Array };
  closestPoints: { arguments: [points: Float64Array]; answer: Float64Array };
  colorSamples: { arguments: [n: number, seed: number]; answer: Float64Array | undefined };
  surfacePoints: { arguments: [n: number, seed: number]; answer: Float64Array };
  setPools: { arguments: [pools: SamplePools]; answer: undefined };
  setDistances: { arguments: [distances: readonly Float64Array[]]; answer: undefined };
  batch: { arguments: [step: number]; answer: Float32Array };
  shareBatch: { arguments: [nReplicas: number]; answer: undefined };
  gradient: { arguments: [step: number]; answer: SparseGradient };
  takeStep: { arguments: [step: number, rateShare: number]; answer: StepError };
  apply: { arguments: [gradients: readonly SparseGradient[], rateShare: number]; answer: undefined };
  parameters: { arguments: []; answer: Parameters };
  state: { arguments: []; answer: TrainingState };
  restore: { arguments: [state: TrainingState]; answer: undefined };
}

type CallName = keyof ReplicaCalls;

/** A replica somewhere: in a worker, or here. */
export interface ReplicaPort {
  call<N extends CallName>(
    name: N,
    ...args: ReplicaCalls[N]['arguments']
  ): Promise<ReplicaCalls[N]['answer']>;
  /** Ends it; calls that wait reject. */
  close(): void;
}

/** Points first asked of a source between two looks at the event loop, and how long a look may take to come. */
const FIRST_QUERIES = 32;
const SLICE_MS = 8;

/** The arithmetic of a replica, and why it is not the one that was wanted. */
export interface KernelFacts {
  readonly kernel: KernelKind;
  readonly kernelReason: string | undefined;
}

/** A replica on this thread, which gives way after every millisecond or so of work. */
export class LocalReplica implements ReplicaPort {
  private readonly replica: Replica;
  private readonly events: EventYield = createEventYield();
  private isClosed = false;

  private constructor(replica: Replica) {
    this.replica = replica;
  }

  static async create(
    source: DistanceSource,
    setup: ReplicaSetup,
    number: number,
    colors?: ColorSource,
  ): Promise<LocalReplica> {
    return new LocalReplica(await Replica.create(source, setup, number, colors));
  }

  get kernel(): KernelFacts {
    const { kernel, kernelReason } = this.replica;
    return { kernel: kernel.kind, kernelReason };
  }

  async call<N extends CallName>(
    name: N,
    ...args: ReplicaCalls[N]['arguments']
  ): Promise<ReplicaCalls[N]['answer']> {
    const answer = await this.answer(name, args);
    if (this.isClosed) throw new NsdfLoadError('The training was ended.');
    return answer as ReplicaCalls[N]['answer'];
  }

  close(): void {
    this.isClosed = true;
    this.events.close();
  }

  private async answer(name: CallName, args: readonly unknown[]): Promise<unknown> {
    const { replica } = this;
    if (name === 'gradient' || name === 'takeStep') {
      const [number, rateShare] = args as [number, number];
      const steps: Generator<void, unknown> =
        name === 'gradient' ? replica.gradient(number) : replica.takeStep(number, rateShare);
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done) return step.value;
        if (!this.isClosed) await this.events.giveWay();
      }
    }
    if (name === 'distances' || name === 'closestPoints') {
      const points = args[0] as Float64Array;
      return this.inParts(0, points.length / 3, (at, end) => replica[name](points.subarray(at * 3, end * 3)));
    }
    if (name === 'makePool' || name === 'distancesAtVertices') {
      const [what, first, end] = args as [never, number, number];
      return this.inParts(first, end, (at, to) => replica[name](what, at, to));
    }
    return (replica[name] as (...args: unknown[]) => unknown).apply(replica, [...args]);
  }

  private async inParts(
    first: number,
    end: number,
    make: (first: number, end: number) => Float64Array,
  ): Promise<Float64Array> {
    const parts: Float64Array[] = [];
    // A mesh answers in microseconds; what a function does is its own affair.
    let nQueries = FIRST_QUERIES;
    for (let at = first; at < end && !this.isClosed; ) {
      const startMs = performance.now();
      const to = Math.min(end, at + nQueries);
      parts.push(make(at, to));
      at = to;
      const timeMs = performance.now() - startMs;
      if (timeMs < SLICE_MS / 4) nQueries *= 2;
      if (timeMs > SLICE_MS) nQueries = Math.max(1, nQueries >> 1);
      await this.events.giveWay();
    }
    return concat(Float64Array, parts);
  }
}

/** Meshes that are read as one, and the cube to train in, where it is not to be chosen. */
export interface MeshInput {
  readonly meshes: readonly ColoredTriangles[];
  readonly domain: Box3 | undefined;
}

/** What a worker finds when it starts. */
export interface StartedReplica extends KernelFacts {
  readonly mesh: TrainingMesh;
}

/** What the page says to a training worker, and what it answers. */
export type ToReplica =
  | ({ readonly kind: 'start'; readonly setup: ReplicaSetup; readonly number: number } & MeshInput)
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly name: CallName;
      readonly args: readonly unknown[];
    };
export type FromReplica =
  | { readonly kind: 'ready'; readonly started: StartedReplica }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError };

/** Answers calls in a worker. Called once, by the worker's entry. */
export function serveReplica(scope: {
  postMessage(message: FromReplica, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToReplica }) => void): void;
}): void {
  let replica: LocalReplica | undefined;
  scope.addEventListener('message', async ({ data }) => {
    const id = data.kind === 'start' ? START : data.id;
    try {
      if (data.kind === 'start') {
        const { tree, ...mesh } = prepareMesh(data.meshes, data.domain);
        const colors = data.setup.color && colorSourceOf(data.meshes, mesh.domain);
        const source = new MeshSource(mesh.triangles, mesh.surface, tree);
        replica = await LocalReplica.create(source, data.setup, data.number, colors);
        scope.postMessage({ kind: 'ready', started: { mesh, ...replica.kernel } }, []);
        return;
      }
      const { name, args } = data;
      if (replica === undefined) throw new Error('called before its start');
      const answer = await replica.call(name, ...(args as never));
      // Made for this answer, all of it.
      scope.postMessage({ kind: 'answer', id, answer }, [...collectBuffers(answer)]);
    } catch (error) {
      scope.postMessage({ kind: 'failed', id, error: toWire(error) }, []);
    }
  });
}

/** The number of the call that starts a replica. */
const START = -1;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (reason: unknown) => void;
}

/** A replica in a worker. */
export class WorkerReplica implements ReplicaPort {
  /** Resolves when the worker has started; rejects where it cannot. */
  readonly ready: Promise<StartedReplica>;
  private readonly worker: WorkerLike;
  private readonly waiting = new Map<number, Waiting>();
  private nCalls = 0;
  private isReady = false;
  private failure: NsdfLoadError | undefined;

  constructor(worker: WorkerLike, input: MeshInput, setup: ReplicaSetup, number: number) {
    this.worker = worker;
    this.ready = new Promise((resolve, reject) => {
      this.waiting.set(START, { resolve: resolve as Waiting['resolve'], reject });
    });
    worker.addEventListener('message', (event) => this.receive((event as MessageEvent<FromReplica>).data));
    worker.addEventListener('messageerror', () => this.fail('a message from it could not be read'));
    worker.addEventListener('error', (event) => {
      event.preventDefault?.();
      this.fail((event as ErrorEvent).message || 'its script could not be loaded');
    });
    worker.postMessage({ kind: 'start', ...input, setup, number } satisfies ToReplica);
  }

  call<N extends CallName>(
    name: N,
    ...args: ReplicaCalls[N]['arguments']
  ): Promise<ReplicaCalls[N]['answer']> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.nCalls++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.worker.postMessage({ kind: 'call', id, name, args } satisfies ToReplica);
    });
  }

  close(): void {
    this.worker.terminate();
    this.fail('the training was ended');
  }

  private receive(message: FromReplica): void {
    const id = message.kind === 'ready' ? START : message.id;
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (message.kind === 'ready') this.isReady = true;
    if (message.kind === 'failed') waiting?.reject(fromWire(message.error));
    else waiting?.resolve((message.kind === 'answer' ? message.answer : message.started) as never);
  }

  private fail(what: string): void {
    const ErrorClass = this.isReady ? NsdfLoadError : BackendUnavailableError;
    this.failure ??= new ErrorClass(`A training worker failed: ${what}.`);
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }
}
