import { parentPort } from 'node:worker_threads';
import { JOB } from '../pipeline/job.ts';
import { serveJobs } from '../pipeline/serve-jobs.ts';

// Node's workers have no global `postMessage`: their parent's port stands in for it.
const port = parentPort;
if (port !== null) {
  serveJobs(
    {
      postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
      addEventListener: (_, listener) =>
        port.on('message', (data) => listener({ data } as Parameters<typeof listener>[0])),
    },
    JOB,
  );
}
