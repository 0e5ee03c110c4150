import { vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import type { Output } from './spawn-nsdf.ts';

/** Runs a command in this process, its output caught: without the second that a program of its own takes to start. */
export async function runNsdf(...args: string[]): Promise<Output> {
  const written = { out: '', err: '' };
  const capture = (key: 'out' | 'err') => (text: unknown) => {
    written[key] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(capture('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(capture('err')),
  ];
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await runProgram(args);
    return { code: process.exitCode, ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
