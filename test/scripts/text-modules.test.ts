import { expect, test } from 'vitest';
import { shortenWgsl } from '../../scripts/text-modules.ts';

test('WGSL goes without comments, line breaks and spaces that separate nothing', () => {
  const code = `// What it does.

fn f(x: f32) -> f32 { // at the end
  /* two
     lines */ let y = x / 2.0;
  return y - -x;
}
`;
  expect(shortenWgsl(code)).toBe('fn f(x:f32)->f32{let y=x / 2.0;return y - -x;}\n');
});

test('what would become another token keeps its space', () => {
  expect(shortenWgsl('var a: vec2<f32> = b; c = a / *p; d = e > -f; g += 1u << h;')).toBe(
    'var a:vec2<f32> =b;c=a / *p;d=e>-f;g+=1u<<h;\n',
  );
});
