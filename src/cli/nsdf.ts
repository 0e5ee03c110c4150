#!/usr/bin/env node
import { runProgram } from './program.ts';

// A reader that has enough closes the pipe (`nsdf info a.nsdf | head -1`): nothing is wrong then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
await runProgram(process.argv.slice(2));
