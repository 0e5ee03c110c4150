#!/usr/bin/env node
import { configureWorkers, disposeWorkers } from '../pipeline/backend-worker.ts';
import { startNodeWorker } from './node-workers.ts';
import { runProgram } from './program.ts';

// A reader that has enough closes the pipe (`nsdf info a.nsdf | head -1`): nothing is wrong then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
configureWorkers({ createWorker: startNodeWorker, warn: false });
await runProgram(process.argv.slice(2));
disposeWorkers(); // they would keep the process alive
