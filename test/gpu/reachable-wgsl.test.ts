import { expect, test } from 'vitest';
import { reachableWgsl } from '../../src/gpu/reachable-wgsl.ts';

const CODE = `// About { nothing; in particular.
struct Used {
  /// With a comment; and a brace {.
  a: u32,
}
struct Unused { b: array<u32, 3>, }
const N = array<u32, 2>(1u, 2u);
const M = 3u;
@group(0) @binding(0) var<uniform> used: Used;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read> unused: array<u32>;
var<private> state: u32;

fn helper(i: u32) -> u32 { return N[i] + used.a; }
fn other() -> u32 { return M + unused[0]; }

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  for (var k = 0u; k < 2u; k++) { state += helper(k); }
  out[i] = state;
}
@compute @workgroup_size(1)
fn second() { out[0] = other(); }
`;

test('a program keeps what its entry point reaches, in its order, without comments', () => {
  expect(reachableWgsl(CODE, 'main')).toBe(`struct Used {
a: u32,
}
const N = array<u32, 2>(1u, 2u);
@group(0) @binding(0) var<uniform> used: Used;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
var<private> state: u32;
fn helper(i: u32) -> u32 { return N[i] + used.a; }
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
for (var k = 0u; k < 2u; k++) { state += helper(k); }
out[i] = state;
}
`);
});

test('what no entry point reaches is gone', () => {
  const second = reachableWgsl(CODE, 'second');
  expect(second).toContain('fn other');
  expect(second).not.toMatch(/helper|struct|state/);
});
