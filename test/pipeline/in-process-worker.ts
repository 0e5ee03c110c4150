import { serveJobs, type WorkerScope } from '../../src/pipeline/serve-jobs.ts';
import type { Job, SurfaceSteps } from '../../src/pipeline/steps.ts';
import type { WorkerLike } from '../../src/pipeline/worker-host.ts';
import type { ToWorker } from '../../src/pipeline/worker-protocol.ts';

export interface InProcessWorker extends WorkerLike {
  /** Everything that was posted to it. */
  readonly received: ToWorker[];
  readonly isTerminated: () => boolean;
  /** Raises an `error` event, as a script that cannot be loaded does. */
  readonly fail: (message: string) => void;
}

type Listener = (event: { data?: unknown; message?: string; preventDefault: () => void }) => void;

/** A job whose work ends with its thread, as a real worker's does: left running here, it would go on under later tests. */
function endedWith(job: Job, isTerminated: () => boolean): Job {
  function* whileAlive<S, T>(steps: Generator<S, T, void>): Generator<S, T, void> {
    try {
      for (;;) {
        if (isTerminated()) throw new Error('the worker was terminated');
        const step = steps.next();
        if (step.done) return step.value;
        yield step.value;
      }
    } finally {
      steps.return(undefined as never);
    }
  }
  const after =
    (steps: SurfaceSteps): SurfaceSteps =>
    (asset, surface, options) =>
      whileAlive(steps(asset, surface, options));
  return {
    steps: (asset, options) => whileAlive(job.steps(asset, options)),
    createRunner: (asset, options) => {
      const runner = job.createRunner(asset, options);
      return { run: (task) => whileAlive(runner.run(task)) };
    },
    cap: after(job.cap),
    simplify: after(job.simplify),
    splitNormals: after(job.splitNormals),
    addAttributes: after(job.addAttributes),
    keepSurface: after(job.keepSurface),
  };
}

/**
 * A Worker that lives on this thread: messages are structured clones with their transfers, delivered in later
 * tasks, as a real one's are.
 * @param job what it runs; null makes a worker that never starts
 */
export function createInProcessWorker(job: Job | null): InProcessWorker {
  const outside = new Map<string, Listener[]>();
  const inside: ((event: MessageEvent<ToWorker>) => void)[] = [];
  const received: ToWorker[] = [];
  let isTerminated = false;
  const emit = (type: string, event: object): void => {
    if (isTerminated) return;
    for (const listener of outside.get(type) ?? []) listener({ preventDefault: () => {}, ...event });
  };
  const scope: WorkerScope = {
    postMessage(message, transfer) {
      const data = structuredClone(message, { transfer });
      setTimeout(() => emit('message', { data }));
    },
    addEventListener: (_type, listener) => inside.push(listener),
  };
  if (job)
    setTimeout(() =>
      serveJobs(
        scope,
        endedWith(job, () => isTerminated),
      ),
    );
  return {
    received,
    isTerminated: () => isTerminated,
    fail: (message) => emit('error', { message }),
    terminate: () => {
      isTerminated = true;
    },
    postMessage(message: ToWorker, transfer: Transferable[] = []) {
      const data = structuredClone(message, { transfer });
      received.push(data);
      setTimeout(() => {
        if (!isTerminated) for (const listener of inside) listener({ data } as MessageEvent<ToWorker>);
      });
    },
    addEventListener(type: string, listener: unknown) {
      outside.set(type, [...(outside.get(type) ?? []), listener as Listener]);
    },
  } as InProcessWorker;
}
