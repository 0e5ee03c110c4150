import { NsdfError } from '../errors.ts';
import type { FieldAsset } from '../format/asset.ts';
import { decodeRequests, type TableRequest } from '../format/table-store.ts';
import type { DeriveProgress } from '../options.ts';
import { collectBuffers } from './buffers.ts';
import { Crew, serveCrew } from './crew.ts';
import { runJob, runQuietly } from './drive.ts';
import { toWire } from './error-wire.ts';
import type { Job, JobOptions } from './steps.ts';
import type { FromWorker, ToWorker } from './worker-protocol.ts';

/** What this module needs of a dedicated worker's global scope. */
export interface WorkerScope {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

/** Messages of one stage closer together than this tell a reader nothing and cost the page a task each. */
const PROGRESS_INTERVAL_MS = 30;

/** Thrown inside a job that the page no longer wants; never leaves the worker. */
class Cancelled extends Error {}

/** Answers the page's messages with the work of `job`. Called once, by the worker's entry. */
export function serveJobs(scope: WorkerScope, job: Job): void {
  const assets = new Map<number, FieldAsset>();
  const cancelled = new Set<number>();
  const crews = new Map<number, Crew>();
  const leaves = new Map<number, () => Promise<void>>();
  const send = (message: FromWorker, transfer: Iterable<ArrayBuffer> = []): void =>
    scope.postMessage(message, [...transfer]);

  /** Runs a job to its one ending. */
  async function end(jobId: number, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (error instanceof Cancelled) send({ kind: 'cancelled', jobId });
      else send({ kind: 'failed', jobId, error: toWire(error) });
    } finally {
      cancelled.delete(jobId);
    }
  }

  async function derive(jobId: number, assetId: number, options: JobOptions): Promise<void> {
    const crew = new Crew(() => send({ kind: 'wantHelp', jobId }));
    crews.set(jobId, crew);
    try {
      const asset = assetOf(assetId);
      const control = {
        throwIfCancelled: () => throwIfCancelled(jobId),
        onProgress: throttle((progress) => send({ kind: 'progress', jobId, progress })),
      };
      const surface = await runJob(job, asset, options, control, crew);
      // A buffer that the cached asset lives in is copied, not handed over: the next job needs it.
      const kept = collectBuffers(asset);
      const transfer = [...collectBuffers(surface)].filter((buffer) => !kept.has(buffer));
      send({ kind: 'done', jobId, surface }, transfer);
    } finally {
      crew.dispose();
      crews.delete(jobId);
    }
  }

  async function decode(jobId: number, requests: readonly TableRequest[]): Promise<void> {
    const tables = await runQuietly(decodeRequests(requests), () => throwIfCancelled(jobId));
    send({ kind: 'decoded', jobId, tables }, collectBuffers(tables));
  }

  /** Ends with `released`, when the page asks for it. */
  async function release(jobId: number, isAborted: boolean): Promise<void> {
    if (isAborted) cancelled.add(jobId);
    await leaves.get(jobId)?.();
    leaves.delete(jobId);
    cancelled.delete(jobId);
    send({ kind: 'released', jobId });
  }

  function assetOf(assetId: number): FieldAsset {
    const asset = assets.get(assetId);
    if (!asset) throw new NsdfError('load', `the worker was not sent asset ${assetId}`);
    return asset;
  }

  function throwIfCancelled(jobId: number): void {
    if (cancelled.has(jobId)) throw new Cancelled();
  }

  scope.addEventListener('message', ({ data }) => {
    // What is no message of ours, a bundler's client sends some, is none of ours to answer.
    switch (data?.kind) {
      case 'asset':
        assets.set(data.assetId, data.asset);
        break;
      case 'forget':
        assets.delete(data.assetId);
        break;
      case 'cancel':
        cancelled.add(data.jobId);
        break;
      case 'derive':
        void end(data.jobId, () => derive(data.jobId, data.assetId, data.options));
        break;
      case 'decode':
        void end(data.jobId, () => decode(data.jobId, data.requests));
        break;
      case 'help': {
        const { jobId, assetId, options, port } = data;
        const createRunner = () => job.createRunner(assetOf(assetId), options);
        leaves.set(
          jobId,
          serveCrew(port, createRunner, () => throwIfCancelled(jobId)),
        );
        break;
      }
      case 'release':
        void release(data.jobId, data.isAborted);
        break;
      case 'helper':
        crews.get(data.jobId)?.join(data.helperId, data.port);
        break;
      case 'helperLost':
        crews.get(data.jobId)?.leave(data.helperId);
        break;
    }
  });
  send({ kind: 'ready' });
}

/** Lets through what starts a stage, what ends the job, and otherwise one message an interval. */
function throttle(onProgress: (progress: DeriveProgress) => void): (progress: DeriveProgress) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastStage = '';
  return (progress) => {
    const nowMs = performance.now();
    const isEdge = progress.stage !== lastStage || progress.fraction === 1;
    if (!isEdge && nowMs - lastMs < PROGRESS_INTERVAL_MS) return;
    lastMs = nowMs;
    lastStage = progress.stage;
    onProgress(progress);
  };
}
