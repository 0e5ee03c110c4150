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
  // Not around operators: a minus before a minus would become another one.
  return `${lines.join('\n').replace(/\s*([,;:(){}])\s*/g, '$1')}\n`;
}
