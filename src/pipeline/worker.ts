import { JOB } from './job.ts';
import { serveJobs, type WorkerScope } from './serve-jobs.ts';

serveJobs(globalThis as unknown as WorkerScope, JOB);
