// Lets Node import .wgsl files as strings, as the build and the tests do: node --import tsx --import ./scripts/wgsl-hooks.mjs
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** Node's load hook. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.wgsl')) return nextLoad(url, context);
  const text = await readFile(new URL(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(text)};` };
}

if (isMainThread) register(import.meta.url);
