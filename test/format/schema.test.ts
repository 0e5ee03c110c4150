import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { FieldAsset } from '../../src/format/asset.ts';
import { packGlb } from '../../src/format/glb.ts';
import type { NsdfIssueCode } from '../../src/format/issues.ts';
import schema from '../../src/format/nsdf-neural-field.schema.json' with { type: 'json' };
import { validateNsdf } from '../../src/format/read.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { boxMlp, FIELD_CASES, sphereField, withDifferenceOutput } from '../fixtures/fields.ts';
import { firstField, type LooseJson, unpack } from './glb-tools.ts';

const isValid = new Ajv2020({ strict: true, strictTuples: false, strictRequired: false }).compile(schema);

/** What a schema can say; rules between several properties, and about bytes, have other codes. */
const SCHEMA_CODES: readonly NsdfIssueCode[] = [
  'property-missing',
  'property-type',
  'property-range',
  'unsupported',
];

describe.each(FIELD_CASES)('$name', ({ make }) => {
  it('obeys the schema', () => {
    for (const dtype of ['f32', 'f16'] as const) {
      const field = firstField(unpack(writeNsdf({ ...make(), lodResolutions: [4, 9] }, { dtype })).json);
      expect(isValid(field), JSON.stringify(isValid.errors)).toBe(true);
    }
  });
});

/** Every property of every kind of field, and values at and beyond the limits of each. */
const VALUES: readonly unknown[] = [
  ...[null, true, 'relu', 'x', [], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 'x'], {}, { plus: 0 }],
  ...[
    -1,
    0,
    1,
    2,
    3,
    32,
    33,
    64,
    65,
    0.5,
    1.5,
    65536,
    65537,
    1048576,
    1048577,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 53,
    -1e300,
  ],
];

function listPaths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, child]) => listPaths(child, [...path, key]))].filter(
    (p) => p.length > 0,
  );
}

function mutate(field: LooseJson, path: readonly (string | number)[], value: unknown): void {
  const owner = path.slice(0, -1).reduce((object, key) => object[key], field);
  if (value === undefined) delete owner[path[path.length - 1]];
  else owner[path[path.length - 1]] = structuredClone(value);
}

const ASSETS: readonly FieldAsset[] = [
  {
    ...withDifferenceOutput(sphereField({ cells: [2, 3] })),
    lodResolutions: [4, 9],
    region: { min: [0, 0, 0], max: [1, 1, 1] },
    tolerance: 0.01,
  },
  boxMlp(),
];

describe.each(ASSETS)('schema and validator on $name', (asset) => {
  const { json, bin } = unpack(writeNsdf(asset));
  Object.assign(firstField(json), { name: 'name', sha256: 'ab'.repeat(32) });
  const text = JSON.stringify(json);

  it('agree on every property with any value, or none', () => {
    let nInvalid = 0;
    for (const path of listPaths(firstField(json))) {
      for (const value of [undefined, ...VALUES]) {
        const copy: LooseJson = JSON.parse(text);
        mutate(firstField(copy), path, value);
        const issues = validateNsdf(packGlb(copy, bin)).filter(({ severity }) => severity === 'error');
        const obeys = !issues.some(({ code }) => SCHEMA_CODES.includes(code));
        const isSchemaValid = isValid(firstField(copy));
        const what = `${path.join('/')} = ${JSON.stringify(value)}: ${JSON.stringify(isValid.errors ?? issues)}`;
        // A count that is out of range may show as bytes that are not there: any error will do.
        if (!isSchemaValid) expect(issues.length, what).toBeGreaterThan(0);
        if (!obeys) expect(isSchemaValid, what).toBe(false);
        if (!obeys) nInvalid++;
      }
    }
    expect(nInvalid).toBeGreaterThan(500);
  });
});
