import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compileKernel, MODULE_PATH } from '../../scripts/build-wasm.ts';

it('the kernel in src/train is what its source compiles to: npm run build:wasm', async () => {
  const committed = readFileSync(
    resolve(fileURLToPath(new URL('../..', import.meta.url)), MODULE_PATH),
    'utf8',
  );
  expect(await compileKernel()).toBe(committed);
});
