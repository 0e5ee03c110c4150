import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import schema from '../../src/format/nsdf-neural-field.schema.json' with { type: 'json' };
import { readField } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { evaluateReference, planeMlp, sphereField } from '../fixtures/fields.ts';
import { entryIndex } from '../fixtures/reference-field.ts';
import { unpack } from './glb-tools.ts';

describe('docs/format.md', async () => {
  const text = await readFile(new URL('../../docs/format.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json));

  it('shows a whole file as it is written', () => {
    const file = writeNsdf(planeMlp());
    const { json, bin } = unpack(file);
    expect(examples[0]).toEqual(json);
    expect(text).toContain(`The file has ${file.length} bytes`);
    const values = [0.36, 0.48, 0.8, -0.36, -0.48, -0.8, -0.1, 0.1, 1, -1, 0];
    expect(new Float32Array(bin.buffer)).toEqual(Float32Array.from(values));
    expect(evaluateReference(readField(file), [0.5, 0.5, 0.5])).toBeCloseTo(0.72, 6);
  });

  it('shows the encoding of the bunny', async () => {
    const bunny = await readFile(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url));
    const [primitive] = unpack(bunny).json.meshes[0].primitives;
    const { encoding } = primitive.extensions.NSDF_neural_field;
    for (const level of [...encoding.levels, ...examples[1].levels]) delete level.bufferView;
    expect(examples[1]).toEqual(encoding);
  });

  it('works out an index as it is computed', () => {
    const { encoding } = sphereField({ cells: [4] });
    if (encoding.kind !== 'hash-grid') throw new Error('expected a grid');
    const level = { ...encoding.levels[0], resolution: 6, nEntries: 216 };
    expect(entryIndex(level, 1, 2, 3)).toBe(121);
    expect(entryIndex({ ...level, isDense: false, nEntries: 2 ** 32 }, 1, 2, 3)).toBe(2892625372);
    expect(entryIndex({ ...level, isDense: false, nEntries: 2 ** 19 }, 1, 2, 3)).toBe(128476);
    expect(text).toContain('2892625372');
  });

  it('names every property of the schema', () => {
    const names = new Set<string>();
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('properties' in node) for (const name of Object.keys(node.properties as object)) names.add(name);
      Object.values(node).forEach(visit);
    };
    visit(schema);
    expect(names.size).toBeGreaterThan(25);
    const isNamed = (name: string): boolean => text.includes(`\`${name}\``) || text.includes(`"${name}":`);
    expect([...names].filter((name) => !isNamed(name))).toEqual([]);
  });
});
