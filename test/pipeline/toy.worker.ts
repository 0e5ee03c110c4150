import { serveJobs, type WorkerScope } from '../../src/pipeline/serve-jobs.ts';
import { TOY_JOB } from './toy-job.ts';

serveJobs(globalThis as unknown as WorkerScope, TOY_JOB);
