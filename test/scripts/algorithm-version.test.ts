import { readFileSync } from 'node:fs';
import type { TransformPluginContext } from 'rollup';
import { expect, test } from 'vitest';
import { algorithmVersion, stampAlgorithm } from '../../scripts/algorithm-version.ts';

const path = new URL('../../src/pipeline/algorithm-version.ts', import.meta.url);

/** What the plugin makes of a module. */
function stamp(code: string, id: string): string | undefined {
  const { transform } = stampAlgorithm();
  if (typeof transform !== 'function') throw new Error('expected a function');
  const result = transform.call({} as TransformPluginContext, code, id);
  return (result as { code: string } | null)?.code;
}

test('the build names the sources by their hash', () => {
  expect(algorithmVersion()).toMatch(/^[0-9a-f]{16}$/);
  expect(algorithmVersion()).toBe(algorithmVersion());
  const code = readFileSync(path, 'utf8');
  expect(stamp(code, '/x/src/pipeline/algorithm-version.ts')).toContain(`= '${algorithmVersion()}'`);
  expect(stamp(code, 'C:\\x\\src\\pipeline\\algorithm-version.ts')).toContain(algorithmVersion());
  expect(stamp(code, '/x/src/pipeline/plan.ts')).toBeUndefined();
  expect(() => stamp('nothing', '/x/src/pipeline/algorithm-version.ts')).toThrow(/no version/);
});
