import { readFileSync } from 'node:fs';
import type { TransformPluginContext } from 'rollup';
import { expect, test } from 'vitest';
import { algorithmVersion, derivationModules, stampAlgorithm } from '../../scripts/algorithm-version.ts';

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
  const code = readFileSync(path, 'utf8');
  expect(stamp(code, '/x/src/pipeline/algorithm-version.ts')).toContain(`= '${algorithmVersion()}'`);
  expect(stamp(code, 'C:\\x\\src\\pipeline\\algorithm-version.ts')).toContain(algorithmVersion());
  expect(stamp(code, '/x/src/pipeline/plan.ts')).toBeUndefined();
  expect(() => stamp('nothing', '/x/src/pipeline/algorithm-version.ts')).toThrow(/no version/);
});

const readSource = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
/** The version with one file changed. */
const versionWith = (name: string, change: (text: string) => string) =>
  algorithmVersion((read) => (read === name ? change(readSource(read)) : readSource(read)));

test('the hash is of what decides a mesh, and of that alone', () => {
  const paths = [...derivationModules().keys()];
  expect(paths).toEqual(
    expect.arrayContaining([
      'src/field/cpu-field.ts',
      'src/partition/settle.ts',
      'src/pipeline/plan.ts',
      'src/surface/extract.ts',
      'src/surface/simplify.ts',
    ]),
  );
  expect(paths.some((path) => path.endsWith('.wgsl'))).toBe(true);
  for (const plumbing of ['worker-pool', 'worker-host', 'serve-jobs', 'cached-derive', 'derive', 'worker']) {
    expect(paths).not.toContain(`src/pipeline/${plumbing}.ts`);
  }
  expect(paths.filter((path) => /^src\/(cache|three|babylon|plugin|lod|cli)\//.test(path))).toEqual([]);
});

test('comments, layout and types do not change it; code does, and WGSL', () => {
  const version = algorithmVersion();
  const plan = 'src/pipeline/plan.ts';
  const comment = (text: string) => `/** A file. */\n${text.replaceAll('  ', '\t\t')}\n// The end.\r\n`;
  expect(versionWith(plan, comment)).toBe(version);
  expect(versionWith(plan, (text) => `${text}\nexport interface Another { readonly x: number }\n`)).toBe(
    version,
  );
  expect(versionWith(plan, (text) => text.replace(/= 0.75;/, '= 0.76;'))).not.toBe(version);
  expect(versionWith(plan, (text) => `${text}\nexport const ONE = 1;\n`)).not.toBe(version);
  const kernel = [...derivationModules().keys()].find((path) => path.endsWith('.wgsl'))!;
  expect(versionWith(kernel, (text) => `// words\n${text.replaceAll('\n', '\n\n')}/* more */`)).toBe(version);
  expect(versionWith(kernel, (text) => `${text}\nconst ONE = 1u;`)).not.toBe(version);
});
