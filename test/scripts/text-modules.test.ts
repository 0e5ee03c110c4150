import { expect, test } from 'vitest';
import { shortenWgsl } from '../../scripts/text-modules.ts';

test('WGSL goes without comments, indentation and empty lines', () => {
  const code = `// What it does.

fn f(x: f32) -> f32 { // at the end
  /* two
     lines */ let y = x / 2.0;
  return y;
}
`;
  expect(shortenWgsl(code)).toBe('fn f(x: f32) -> f32 {\nlet y = x / 2.0;\nreturn y;\n}\n');
});
