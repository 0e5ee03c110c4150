import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { composePrograms } from '../../scripts/compose-wgsl.ts';
import { shortenWgsl } from '../../scripts/text-modules.ts';
import { findQuotientsInSelect, findSubnormals, findVectorStores } from '../../scripts/wgsl-rules.ts';
import { octahedronMlp } from '../fixtures/fields.ts';

const HEAD = `
struct Side {
  ends: vec2<u32>,
  @align(16) @size(16) words: array<u32, 3>,
  turn: mat3x3<f32>,
}
alias Quad = vec4<f32>;
@group(0) @binding(0) var<storage, read_write> sides: array<Side>;
@group(0) @binding(1) var<storage, read_write> quads: array<Quad, 8>;
@group(0) @binding(2) var<storage, read_write> one: vec3<i32>;
@group(0) @binding(3) var<storage, read> given: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> groups: array<array<vec2f, 4>, 2>;
var<private> mine: array<vec4<f32>, 4>;
var<workgroup> ours: vec3<u32>;
`;

const storesIn = (body: string, parameters = '') =>
  findVectorStores(`${HEAD}fn f(${parameters}) {\n${body}\n}\n`).map(({ target }) => target);

describe('stores to components of vectors in storage', () => {
  it.each([
    ['sides[i / 3u].ends.x = 1u;', 'sides[i/3u].ends.x'],
    ['sides[i].ends[i % 2u] = 1u;', 'sides[i].ends[i%2u]'],
    ['sides[sides[i].words[0]].ends.y |= 4u;', 'sides[sides[i].words[0]].ends.y'],
    ['quads[2].w = 0.5;', 'quads[2].w'],
    ['quads[2].a *= 2.0;', 'quads[2].a'],
    ['one.z++;', 'one.z'],
    ['one[k] <<= 1;', 'one[k]'],
    ['sides[i].turn[1][2] = 0.0;', 'sides[i].turn[1][2]'],
    ['sides[i].turn[1].y = 0.0;', 'sides[i].turn[1].y'],
    ['groups[1][k].x = 0.0;', 'groups[1][k].x'],
    ['if (i == 0u) { one.x = 3; }', 'one.x'],
    ['for (var k = 0u; k < 3u; one.x += 1) {}', 'one.x'],
    ['let side = &sides[i]; (*side).ends.x = 1u;', '(*side).ends.x'],
    ['let ends = &sides[i].ends; (*ends)[1] = 1u;', '(*ends)[1]'],
    ['let side = &sides[i]; let ends = &(*side).ends; ends.y = 1u;', 'ends.y'],
  ])('finds %s', (statement, target) => {
    expect(storesIn(statement)).toEqual([target]);
  });

  it('finds those through a parameter', () => {
    expect(storesIn('(*to).y = 1u;', 'to: ptr<storage, vec2<u32>, read_write>')).toEqual(['(*to).y']);
  });

  it('tells the line', () => {
    expect(
      findVectorStores(`${HEAD}fn f() {\n  /* two\n  lines */\n  one.y = 2; // one.x = 1;\n}`),
    ).toMatchObject([{ line: HEAD.split('\n').length + 3 }]);
  });

  it.each([
    'sides[i].ends = vec2<u32>(1u, 2u);',
    'sides[i].words[i % 3u] = 1u;',
    'sides[i].words[sides[i].ends.x] = 1u;',
    'quads[i] = quads[i].xxyy;',
    'let x = one.x; let same = one.y == one.z; if (one.x >= 2) { }',
    'mine[1].x = 2.0; ours.y = 1u;',
    'var here = one; here.x = 2;',
    'let one = vec3<f32>(0.0); g(one.x);',
    'let side = &mine[1]; (*side).x = 1.0;',
    'groups[0][1] = vec2f(1.0);',
  ])('lets %s be', (statement) => {
    expect(storesIn(statement)).toEqual([]);
  });
});

describe('quotients that `select` forms without choosing them', () => {
  it.each([
    'let a = select(1.0 / x, 0.0, x == 0.0);',
    'let a = 2.0 * select(0.0, min(y / (x - y), 1.0), x != y);',
    'let a = select(select(y / x, 1.0, x == 0.0), 2.0, y == 0.0);',
  ])('finds %s', (text) => {
    expect(findQuotientsInSelect(text)).toHaveLength(1);
  });

  it.each([
    'let a = select(y / max(x, 1e-30), 0.0, x == 0.0);',
    'let a = select(y / select(x, 1.0, x == 0.0), 0.0, x == 0.0);',
    'let a = select(h / 3u, y / 4.0, x == 0.0) / x;',
    'let a = select(y / f32(N_PARTS), 1.0, x == 0.0);',
  ])('lets %s be', (text) => {
    expect(findQuotientsInSelect(text)).toEqual([]);
  });
});

it('finds numbers that single precision may flush to zero', () => {
  const text = 'let a = max(x, 1e-38) + 1.1e-39 + 1e-37 + 2e-10 + 0.0e-40 + vec2e38.x;';
  expect(findSubnormals(text).map(({ target }) => target)).toEqual(['1e-38', '1.1e-39']);
});

it('composes every kernel that is written, without a device, and no function for nothing', async () => {
  const src = new URL('../../src/', import.meta.url);
  const names = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.wgsl'),
  );
  const programs = await composePrograms([octahedronMlp()]);
  const declaredIn = (text: string): string[] =>
    [...text.matchAll(/\b(?:fn|struct) \w+/g)].map(([name]) => name);
  const composed = new Set(programs.flatMap(({ code }) => declaredIn(code)));
  const left = names.flatMap((name) => {
    const declared = declaredIn(shortenWgsl(readFileSync(new URL(name, src), 'utf8')));
    return declared.filter((each) => !composed.has(each)).map((each) => `${name}: ${each}`);
  });
  expect(names.length).toBeGreaterThan(60);
  expect(left).toEqual([]);
});
