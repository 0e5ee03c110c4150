import type { Plugin } from 'rollup';

/** Imports `.wgsl` files as strings, the same way in rollup and in vite. */
export function textModules(): Plugin {
  return {
    name: 'text-modules',
    transform(code, id) {
      if (!id.endsWith('.wgsl')) return null;
      return { code: `export default ${JSON.stringify(code)};`, map: { mappings: '' } };
    },
  };
}
