import { simplifySurface } from './simplify-surface.ts';
import { deriveSteps } from './stages.ts';
import type { Job } from './steps.ts';

/** The derivation as every backend runs it. */
export const JOB: Job = {
  steps: deriveSteps,
  loadSimplify: async () => simplifySurface,
};
