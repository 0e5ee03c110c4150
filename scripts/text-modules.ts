import type { Plugin } from 'rollup';

/** Imports `.wgsl` files as strings, without comments and most of their spaces; the same way in rollup and in vite. */
export function textModules(): Plugin {
  return {
    name: 'text-modules',
    transform(code, id) {
      if (!id.endsWith('.wgsl')) return null;
      return { code: `export default ${JSON.stringify(shortenWgsl(code))};`, map: { mappings: '' } };
    },
  };
}

/** WGSL has no strings that comments could stand in. */
export function shortenWgsl(code: string): string {
  const lines = code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').trim())
    .filter((line) => line !== '');
  // Not beside a minus or a slash, which what comes next would make another operator or a comment; nor between a template's end
  // and the sign of equality.
  const after = /([,;:(){}[\]+*%<&|^!=]|>(?!\s+=))\s+/g;
  const before = /(?<![-/\s])(?<!>(?=\s+=))\s+([,;:(){}[\]+*%<&|^!=>])/g;
  return `${lines.join('\n').replace(after, '$1').replace(before, '$1')}\n`;
}
