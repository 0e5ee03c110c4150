import { posix } from 'node:path';
import ts from 'typescript';

/** What one part of src (a folder, or a single file) may import. */
interface ImportRule {
  /** Other parts of src; its own files are always allowed. */
  readonly parts: readonly string[];
  /** Packages, by name; a name that ends in `/*` is a scope. */
  readonly packages?: readonly string[];
}

/** An import that the rules forbid. */
export interface ImportViolation {
  readonly path: string;
  readonly line: number;
  readonly specifier: string;
  readonly reason: string;
}

/**
 * Who may import whom. `plugin` is what the engines' plugins share and knows no engine itself. `errors`, `budgets`, `arrays`, `box`, `options` and `format/asset.ts`, which holds types only, are
 * vocabulary: everyone below the engines may use them.
 */
const RULES: Readonly<Record<string, ImportRule>> = {
  'errors.ts': { parts: [] },
  'budgets.ts': { parts: [] },
  'arrays.ts': { parts: [] },
  'box.ts': { parts: [] },
  'options.ts': { parts: ['format', 'cache', 'surface'] },
  'wgsl.d.ts': { parts: [] },
  format: { parts: [] },
  'format/gltf-transform.ts': { parts: ['format'], packages: ['@gltf-transform/core'] },
  gpu: { parts: [] },
  cache: { parts: [] },
  field: { parts: ['format', 'gpu'] },
  partition: { parts: ['field', 'gpu'] },
  surface: { parts: ['partition', 'field', 'gpu'] },
  pipeline: { parts: ['format', 'gpu', 'cache', 'field', 'partition', 'surface'] },
  // Asks the pipeline for levels; nothing in the pipeline knows of levels.
  lod: { parts: ['format', 'surface', 'pipeline'] },
  'index.ts': { parts: ['format', 'gpu', 'cache', 'field', 'partition', 'surface', 'pipeline'] },
  import: { parts: ['format', 'field', 'gpu'] },
  train: { parts: ['format', 'gpu', 'field', 'surface', 'pipeline'] },
  plugin: { parts: ['format', 'index.ts', 'options.ts', 'lod'] },
  tiles: { parts: ['format', 'pipeline', 'surface', 'plugin'] },
  three: { parts: ['index.ts', 'options.ts', 'lod', 'plugin'], packages: ['three'] },
  babylon: { parts: ['index.ts', 'options.ts', 'lod', 'plugin'], packages: ['@babylonjs/*'] },
  cli: {
    parts: [
      'format',
      'gpu',
      'cache',
      'field',
      'partition',
      'surface',
      'lod',
      'pipeline',
      'import',
      'train',
      'tiles',
      'index.ts',
    ],
    packages: ['node:*', 'commander', 'draco3dgltf', 'fast-png', 'jpeg-js', 'meshoptimizer', 'webgpu'],
  },
};
/** AssemblyScript: its compiler finds modules by other rules, and only in that folder. */
const ASSEMBLY = 'src/train/assembly/';
const VOCABULARY = ['errors.ts', 'budgets.ts', 'arrays.ts', 'box.ts', 'options.ts', 'format/asset.ts'];
const ENGINES = ['plugin', 'three', 'babylon'];

/** The folder of src that a file belongs to, or its own name where it lies directly in src. */
function partOf(pathInSrc: string): string {
  return pathInSrc.split('/')[0] as string;
}

function isPackageAllowed(specifier: string, allowed: readonly string[]): boolean {
  return allowed.some((name) =>
    name.endsWith('*')
      ? specifier.startsWith(name.slice(0, -1))
      : specifier === name || specifier.startsWith(`${name}/`),
  );
}

/** Says why a file of src may not import this, or undefined where it may. */
function reasonAgainst(pathInSrc: string, specifier: string): string | undefined {
  const part = partOf(pathInSrc);
  const rule = RULES[pathInSrc] ?? RULES[part];
  if (!rule) return `src/${part} has no import rule: add it to scripts/import-rules.ts`;
  if (!specifier.startsWith('.')) {
    if (isPackageAllowed(specifier, rule.packages ?? [])) return undefined;
    return `src/${part} may import ${rule.packages?.length ? `only ${rule.packages.join(', ')}` : 'no package'}`;
  }
  if (!/\.(ts|wgsl|json)$/.test(specifier))
    return 'relative imports carry their extension (.ts, .wgsl, .json)';
  const target = posix.join(posix.dirname(pathInSrc), specifier);
  if (target.startsWith('..')) return 'src imports nothing outside src';
  const targetPart = partOf(target);
  if (targetPart === part || rule.parts.includes(targetPart)) return undefined;
  if (VOCABULARY.includes(target) && !ENGINES.includes(part)) return undefined;
  return `src/${part} may import ${rule.parts.length ? `only ${rule.parts.join(', ')}` : 'nothing of ours but errors.ts'}`;
}

/**
 * Lists what the rules name and src has not: folders and files that went, or were never there.
 * @param files all files of src, relative to it, with forward slashes
 * @param rules for tests: other rules than the layout's
 */
export function findStaleRules(
  files: readonly string[],
  rules: Readonly<Record<string, ImportRule>> = RULES,
): string[] {
  const isThere = (name: string): boolean =>
    files.some((file) => file === name || file.startsWith(`${name}/`));
  const named = Object.entries(rules).flatMap(([part, { parts }]) => [part, ...parts]);
  return [...new Set(named)].filter((name) => !isThere(name));
}

/** Every module specifier of a source text with its 1-based line: imports, re-exports, `import()`, worker URLs. */
export function importsOf(text: string): { specifier: string; line: number }[] {
  const lineAt = (position: number): number => text.slice(0, position).split('\n').length;
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => ({
    specifier: fileName,
    line: lineAt(pos),
  }));
  const urls = [...text.matchAll(/new URL\(\s*'([^']+)',\s*import\.meta\.url/g)].map((match) => ({
    specifier: match[1] as string,
    line: lineAt(match.index),
  }));
  return [...imports, ...urls];
}

/**
 * Lists the imports of one file that break the layout's rules.
 * @param path the file, relative to the repository, with forward slashes; files outside src have no rules
 */
export function findImportViolations(path: string, text: string): ImportViolation[] {
  if (!path.startsWith('src/') || path.startsWith(ASSEMBLY)) return [];
  return importsOf(text).flatMap(({ specifier, line }) => {
    const reason = reasonAgainst(path.slice('src/'.length), specifier);
    return reason === undefined ? [] : [{ path, line, specifier, reason }];
  });
}
