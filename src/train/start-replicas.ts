import type { Box3 } from '../format/asset.ts';
import { BackendUnavailableError } from '../pipeline/backend.ts';
import type { WorkerLike } from '../pipeline/worker-host.ts';
import { type ColoredTriangles, colorSourceOf } from './color-source.ts';
import { MeshSource } from './distance-source.ts';
import { FunctionSource, type SignedDistance } from './function-source.ts';
import type { TrainOptions, TrainPlan } from './options.ts';
import type { ReplicaSetup } from './replica.ts';
import {
  type KernelFacts,
  LocalReplica,
  type MeshInput,
  type ReplicaPort,
  type StartedReplica,
  WorkerReplica,
} from './replica-port.ts';
import { startTrainWorker } from './start-train-worker.ts';
import { prepareMesh, type TrainingMesh } from './training-mesh.ts';

/** Replicas that are ready, and what they train on. */
export interface Started extends KernelFacts {
  readonly ports: readonly ReplicaPort[];
  readonly domain: Box3;
  readonly mesh: TrainingMesh | undefined;
  /** Whether colours are to be trained beside the distances. */
  readonly hasColors: boolean;
  readonly nWorkers: number;
  readonly workersReason: string | undefined;
}

/**
 * Starts the replicas: in workers where there may be some, else one on this thread.
 * @throws what workers fail with, but for those that cannot be started.
 */
export async function startReplicas(
  source: ColoredTriangles | readonly ColoredTriangles[] | SignedDistance,
  plan: TrainPlan,
  { domain, signal, createWorker = startTrainWorker }: TrainOptions,
): Promise<Started> {
  const setup = (nReplicas: number): ReplicaSetup => ({ ...plan, nReplicas });
  if ('distance' in source) {
    const port = await LocalReplica.create(await FunctionSource.find(source, signal), setup(1), 0);
    const workersReason = plan.nWorkers > 0 ? 'a function cannot be sent to a worker' : undefined;
    return {
      ports: [port],
      domain: source.domain,
      mesh: undefined,
      hasColors: false,
      nWorkers: 0,
      workersReason,
      ...port.kernel,
    };
  }
  const meshes = 'positions' in source ? [source] : source;
  const input = { meshes, domain };
  const hasColors = plan.color !== undefined && meshes.some(({ colors }) => colors !== undefined);
  let workersReason: string | undefined;
  if (plan.nWorkers > 0) {
    try {
      const { ports, ...started } = await startWorkers(input, setup(plan.nWorkers), createWorker, signal);
      const { domain } = started.mesh;
      return { ports, domain, hasColors, nWorkers: ports.length, workersReason, ...started };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BackendUnavailableError)) throw error;
      workersReason = error.message;
    }
  }
  const { tree, ...mesh } = prepareMesh(input.meshes, domain);
  const colors = plan.color && colorSourceOf(input.meshes, mesh.domain);
  const distances = new MeshSource(mesh.triangles, mesh.surface, tree);
  const port = await LocalReplica.create(distances, setup(1), 0, colors);
  return { ports: [port], domain: mesh.domain, mesh, hasColors, nWorkers: 0, workersReason, ...port.kernel };
}

async function startWorkers(
  input: MeshInput,
  setup: ReplicaSetup,
  createWorker: () => WorkerLike,
  signal: AbortSignal | undefined,
): Promise<{ ports: WorkerReplica[] } & StartedReplica> {
  const ports: WorkerReplica[] = [];
  const closeAll = (): void => {
    for (const port of ports) port.close();
  };
  signal?.addEventListener('abort', closeAll);
  try {
    for (let i = 0; i < setup.nReplicas; i++) {
      let worker: WorkerLike;
      try {
        worker = createWorker();
      } catch (cause) {
        throw new BackendUnavailableError(`No worker can be started: ${(cause as Error).message}`, { cause });
      }
      ports.push(new WorkerReplica(worker, input, setup, i));
    }
    const started = await Promise.all(ports.map(({ ready }) => ready));
    // One that runs in JavaScript is told of, if it is the only one.
    return { ports, ...(started.find(({ kernelReason }) => kernelReason !== undefined) ?? started[0]) };
  } catch (error) {
    closeAll();
    throw error;
  } finally {
    signal?.removeEventListener('abort', closeAll);
  }
}
