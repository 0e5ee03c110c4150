import type { SamplePools } from './distance-source.ts';
import type { Parameters, StepError, TrainingState } from './replica.ts';
import type { ReplicaPort } from './replica-port.ts';

/** Who holds a field's parameters and takes the steps: the replicas themselves, or a GPU that they draw samples for. */
export interface FieldTrainer {
  /** Starts with the tables' coarse levels as distances, see `TrainableField.setDistances`. */
  setDistances(distances: readonly Float64Array[]): Promise<void>;
  /** Goes on from a state. */
  restore(state: TrainingState): Promise<void>;
  /** What wide and uniform samples are drawn from, from the next step on. */
  setPools(pools: SamplePools): Promise<void>;
  /**
   * Takes step number `step` at a share of the learning rates. May resolve while the step is still under way: `parameters` and `state`
   * wait for it.
   * @returns the errors at the latest step that they are known of
   */
  step(step: number, rateShare: number): Promise<StepError | undefined>;
  /** Copied. */
  parameters(): Promise<Parameters>;
  /** Copied. */
  state(): Promise<TrainingState>;
  /** Frees what is its own; calls that wait reject. */
  close(): void;
}

/**
 * Trains in the replicas. They share batches, each computing the gradients of its part and all applying those of all, or the first makes
 * the steps alone, where that is done sooner than two tell each other their gradients; the others find distances then.
 */
export class ReplicaTrainer implements FieldTrainer {
  private readonly ports: readonly ReplicaPort[];
  private readonly isShared: boolean;

  private constructor(ports: readonly ReplicaPort[], isShared: boolean) {
    this.ports = ports;
    this.isShared = isShared;
  }

  static async create(ports: readonly ReplicaPort[], isShared: boolean): Promise<ReplicaTrainer> {
    const trainer = new ReplicaTrainer(ports, isShared);
    if (!isShared) await trainer.toAll((port) => port.call('shareBatch', 1));
    return trainer;
  }

  async setDistances(distances: readonly Float64Array[]): Promise<void> {
    await this.toAll((port) => port.call('setDistances', distances));
  }

  async restore(state: TrainingState): Promise<void> {
    await this.toAll((port) => port.call('restore', state));
  }

  async setPools(pools: SamplePools): Promise<void> {
    await this.toAll((port) => port.call('setPools', pools));
  }

  async step(step: number, rateShare: number): Promise<StepError> {
    if (!this.isShared) return this.ports[0].call('takeStep', step, rateShare);
    const gradients = await this.toAll((port) => port.call('gradient', step));
    await this.toAll((port) => port.call('apply', gradients, rateShare));
    return {
      errorSum: gradients.reduce((sum, { errorSum }) => sum + errorSum, 0),
      nErrors: gradients.reduce((n, { nErrors }) => n + nErrors, 0),
    };
  }

  parameters(): Promise<Parameters> {
    return this.ports[0].call('parameters');
  }

  state(): Promise<TrainingState> {
    return this.ports[0].call('state');
  }

  /** Nothing is its own: replicas are closed by who started them. */
  close(): void {}

  private toAll<T>(call: (port: ReplicaPort) => Promise<T>): Promise<T[]> {
    return Promise.all(this.ports.map(call));
  }
}
