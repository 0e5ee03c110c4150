#!/usr/bin/env node
import { configureWorkers, disposeWorkers } from '../pipeline/backend-worker.ts';
import { STANDARD_OUTPUT, unwritable } from './destination.ts';
import { startNodeWorker } from './node-workers.ts';
import { runProgram, tellError } from './program.ts';

const args = process.argv.slice(2);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has enough closes the pipe (`nsdf info a.nsdf | head -1`): nothing is wrong then.
  if (error.code !== 'EPIPE') tellError(unwritable(STANDARD_OUTPUT, error), args);
  process.exit();
});
configureWorkers({ createWorker: startNodeWorker, warn: false });
await runProgram(args);
disposeWorkers(); // they would keep the process alive
