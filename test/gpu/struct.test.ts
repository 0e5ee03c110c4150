import { describe, expect, it } from 'vitest';
import { defineStruct } from '../../src/gpu/struct.ts';

const MIXED = defineStruct('Mixed', {
  a: 'f32',
  b: 'vec2<u32>',
  c: 'u32',
  d: 'vec3<f32>',
  e: 'i32',
  f: 'vec4<f32>',
  g: 'u32',
});

describe('defineStruct', () => {
  it('places fields as WGSL does', () => {
    expect(MIXED.byteOffsets).toEqual({ a: 0, b: 8, c: 16, d: 32, e: 44, f: 48, g: 64 });
    expect(MIXED.byteLength).toBe(80);
  });

  it('writes the declaration, its last field padded to the stride', () => {
    expect(MIXED.wgsl).toContain('  d: vec3<f32>,\n  e: i32,');
    expect(MIXED.wgsl).toContain('@size(16) g: u32,');
  });

  it('packs values by their type, struct after struct', () => {
    const values = { a: 0.5, b: [1, 2], c: 3, d: [4, 5, 6], e: -7, f: [8, 9, 10, 11], g: 12 };
    const bytes = MIXED.pack(values, { ...values, g: 0xffffffff });
    expect(bytes.byteLength).toBe(160);
    const [floats, words] = [new Float32Array(bytes), new Uint32Array(bytes)];
    expect(floats[0]).toBe(0.5);
    expect([...words.subarray(2, 5)]).toEqual([1, 2, 3]);
    expect([...floats.subarray(8, 11)]).toEqual([4, 5, 6]);
    expect(new Int32Array(bytes)[11]).toBe(-7);
    expect(words[16]).toBe(12);
    expect(words[36]).toBe(0xffffffff);
  });
});
