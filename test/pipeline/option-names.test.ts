import { describe, expect, test } from 'vitest';
import { NsdfArgumentError } from '../../src/errors.ts';
import { type DeriveOptions, deriveMesh } from '../../src/index.ts';
import { refuseUnknownOptions } from '../../src/options.ts';
import { refuseUnknownSettings } from '../../src/plugin/settings.ts';
import { sphereField } from '../fixtures/fields.ts';

describe('unknown options', () => {
  const known = { tolerance: true, resolution: true, maxVertices: true } as const;

  test.each([
    ['tolerence', 'did you mean tolerance?'],
    ['tolernace', 'did you mean tolerance?'],
    ['Tolerance', 'did you mean tolerance?'],
    ['max_vertices', 'did you mean maxVertices?'],
    ['colour', 'expected tolerance, resolution, maxVertices'],
  ])('%s: %s', (name, advice) => {
    const check = () => refuseUnknownOptions('deriveMesh', { [name]: 1 }, known);
    expect(check).toThrow(NsdfArgumentError);
    expect(check).toThrow(`deriveMesh has no option "${name}": ${advice}`);
    expect(check).toThrow(expect.objectContaining({ argument: name }));
  });

  test('nothing is said of known ones, and of those that are undefined', () => {
    expect(() =>
      refuseUnknownOptions('deriveMesh', { tolerance: 1, colour: undefined }, known),
    ).not.toThrow();
  });

  test('names of the prototype are no options', () => {
    expect(() => refuseUnknownOptions('x', { toString: 1 }, known)).toThrow('no option "toString"');
    expect(() => refuseUnknownOptions('x', JSON.parse('{"__proto__":1}'), known)).toThrow('"__proto__"');
  });

  test('deriveMesh refuses them before any work', async () => {
    const options = { tolerence: 1e-2 } as DeriveOptions;
    await expect(deriveMesh(sphereField(), options)).rejects.toThrow(
      'deriveMesh has no option "tolerence": did you mean tolerance?',
    );
  });

  test('the settings of the plugins are looked through, those of the levels too', () => {
    const check = (settings: object) => () => refuseUnknownSettings('NSDFLoader', settings);
    expect(check({ tolerance: 1, lod: { screenError: 2, waitFor: 'first' } })).not.toThrow();
    expect(check({ tolerance: 1, lod: true, output: 'cpu' })).not.toThrow();
    expect(check({ creaseangle: 30 })).toThrow('did you mean creaseAngle?');
    expect(check({ lod: { screenErorr: 2 } })).toThrow(
      'lod has no option "screenErorr": did you mean screenError?',
    );
  });
});
