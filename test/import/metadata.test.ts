import { describe, expect, it } from 'vitest';
import { NsdfFormatError, NsdfUnsupportedError } from '../../src/errors.ts';
import { Metadata, parseDomain, parseOutput } from '../../src/import/metadata.ts';

const of = (values: Record<string, string>): Metadata => new Metadata(new Map(Object.entries(values)));
const BOX = { min: [-1, 0, 2], max: [1, 0.5, 4] };

describe('parseDomain', () => {
  it.each([
    ['[-1,1]^3', { min: [-1, -1, -1], max: [1, 1, 1] }],
    [' [ 0 , 1 ] ^ 3 ', { min: [0, 0, 0], max: [1, 1, 1] }],
    ['[-.5,1e-1]^3', { min: [-0.5, -0.5, -0.5], max: [0.1, 0.1, 0.1] }],
    ['[-1,1]x[0,0.5]x[2,4]', BOX],
    ['[-1, 1] × [0, 0.5] × [2, 4]', BOX],
    ['[-1,1]*[0,0.5]*[2,4]', BOX],
  ])('understands %s', (domain, expected) => {
    expect(parseDomain(of({ domain }))).toEqual(expected);
  });

  it.each([
    '[[-1, 0, 2], [1, 0.5, 4]]',
    '[-1, 0, 2, 1, 0.5, 4]',
    '[[-1, 1], [0, 0.5], [2, 4]]',
    '{"min": [-1, 0, 2], "max": [1, 0.5, 4]}',
  ])('understands the box %s', (domain_box) => {
    expect(parseDomain(of({ domain: 'box', domain_box }))).toEqual(BOX);
  });

  it('takes six numbers for pairs where they are no corners', () => {
    const box = { min: [-1, -2, -3], max: [1, 2, 3] };
    expect(parseDomain(of({ domain_box: '[-1, 1, -2, 2, -3, 3]' }))).toEqual(box);
  });

  it('takes minimum then maximum where both readings of six numbers are boxes', () => {
    expect(parseDomain(of({ domain_box: '[0, 1, 2, 3, 4, 5]' }))).toEqual({ min: [0, 1, 2], max: [3, 4, 5] });
  });

  it.each(['[-1,1]', '(-1,1)^3', '[-1,a]^3', '[1,2,3]^3', '', '[-1,1]^', '[-1,Infinity]^3'])(
    'refuses %j',
    (domain) => {
      const parse = (): unknown => parseDomain(of({ domain }));
      expect(parse).toThrow(domain === '[-1,1]' ? NsdfUnsupportedError : NsdfFormatError);
    },
  );

  it.each([
    '[1,2,3]',
    '[[1,2],[3]]',
    '"box"',
    '[[1,2,3],[4,5,"6"]]',
    '[]',
    '[[]]',
    '{}',
    '7',
    '[[1,2,3]]',
    'nonsense',
  ])('refuses the box %s', (domain_box) => {
    expect(() => parseDomain(of({ domain: '[-1,1]^3', domain_box }))).toThrow(NsdfFormatError);
  });

  it.each(['[[-1,-1],[1,1]]', '[-1,-1,1,1]'])('names the 2-D box %s', (domain_box) => {
    expect(() => parseDomain(of({ domain_box }))).toThrow(NsdfUnsupportedError);
  });

  it('asks for the domain where there is none', () => {
    expect(() => parseDomain(of({}))).toThrow(/domain is missing, expected "\[-1,1\]\^3"/);
  });
});

describe('parseOutput', () => {
  it.each([
    ['out[0]', { plus: 0, minus: null }],
    ['out[1]-out[0]', { plus: 1, minus: 0 }],
    [' out[3] - out[12] ', { plus: 3, minus: 12 }],
  ])('understands %s', (output, expected) => {
    expect(parseOutput(of({ output }), 16)).toEqual(expected);
  });

  it('does not guess which of several outputs is meant', () => {
    expect(() => parseOutput(of({}), 2)).toThrow(/2 outputs, expected metadata output/);
  });
});

describe('numbers', () => {
  it('are read strictly', () => {
    expect(of({ n: ' 4 ' }).number('n')).toBe(4);
    expect(of({ n: '[True, False]' }).numbers('n', 2)).toEqual([1, 0]);
    for (const n of ['', '4 levels', 'NaN', '1e999', '0x'])
      expect(() => of({ n }).number('n')).toThrow(NsdfFormatError);
  });
});
