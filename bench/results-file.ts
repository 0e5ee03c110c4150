import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';

/** Rows of figures, with where they come from. */
export interface Results {
  /** `machine`, `date`, `commit`, and what else there is to say, in the order in which it is written. */
  readonly about: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Tables of the docs that are made of a file in bench/results: between `<!-- bench:NAME -->` and `<!-- /bench -->`. */
export const DOC_TABLES: readonly { readonly name: string; readonly doc: string }[] = [
  { name: 'lod-bunny', doc: 'docs/guides/lod.md' },
  { name: 'levels-bunny-S', doc: 'docs/guides/lod.md' },
  { name: 'levels-bunny-L', doc: 'docs/guides/lod.md' },
  { name: 'levels-colliding', doc: 'docs/guides/lod.md' },
  { name: 'levels-fine', doc: 'docs/guides/lod.md' },
  { name: 'workers', doc: 'docs/guides/workers.md' },
  { name: 'gpu-dawn-h100', doc: 'docs/guides/webgpu.md' },
  { name: 'gpu-swiftshader-bunny', doc: 'docs/guides/webgpu.md' },
  { name: 'gpu-dawn-scaling', doc: 'docs/guides/webgpu.md' },
  { name: 'planarity-bunny', doc: 'docs/theory.md' },
  { name: 'training', doc: 'docs/theory.md' },
  { name: 'compact-bunny', doc: 'docs/guides/training.md' },
];

const ROOT = new URL('../', import.meta.url);

/** The committed file of a table. */
export function resultsUrl(name: string): URL {
  return new URL(`bench/results/${name}.csv`, ROOT);
}

/** Who measures: this machine, today, the commit of the sources. */
export function aboutThisRun(): Record<'machine' | 'date' | 'commit', string> {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--', 'src') !== '';
  const model = cpus()[0]?.model.trim() || arch();
  return {
    machine: `${cpus().length} cores of ${model}, ${platform()}, Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes in src' : ''),
  };
}

/** Writes the results, and the tables of the docs that are made of them. */
export function writeResults(name: string, results: Results): void {
  writeFileSync(resultsUrl(name), toCsv(results));
  for (const table of DOC_TABLES.filter((each) => each.name === name)) {
    const doc = new URL(table.doc, ROOT);
    writeFileSync(doc, replaceBlock(readFileSync(doc, 'utf8'), name, toBlock(name, results)));
  }
}

/** CSV, after lines `# key: value`; cells with commas stand in quotes. */
export function toCsv({ about, columns, rows }: Results): string {
  const head = Object.entries(about).map(([key, value]) => `# ${key}: ${value}`);
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell) => (/[",]/.test(`${cell}`) ? `"${`${cell}`.replaceAll('"', '""')}"` : `${cell}`))
      .join(',');
  return `${[...head, line(columns), ...rows.map(line)].join('\n')}\n`;
}

/** What {@link toCsv} wrote. */
export function parseCsv(text: string): Results {
  const lines = text.trimEnd().split('\n');
  const isHead = (line: string): boolean => line.startsWith('# ');
  const about = lines.filter(isHead).map((line) => {
    const at = line.indexOf(': ');
    return [line.slice(2, at), line.slice(at + 2)] as const;
  });
  const [columns, ...rows] = lines.filter((line) => !isHead(line)).map(cellsOf);
  return { about: Object.fromEntries(about), columns: columns ?? [], rows };
}

function cellsOf(line: string): string[] {
  const cells: string[] = [];
  for (const [, quoted, plain, end] of line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/g)) {
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '') break;
  }
  return cells;
}

/** The table as the docs show it, with its marks, and below it where it comes from. */
export function toBlock(name: string, { about, columns, rows }: Results): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  const table = [
    line(columns),
    `|${'---|'.repeat(columns.length)}`,
    ...rows.map((row) => line(row.map((cell) => grouped(`${cell}`)))),
  ];
  const source = Object.entries(about).map(([key, value]) => `${key}: ${value}`);
  return `<!-- bench:${name} -->
${table.join('\n')}

*${source.join('; ')}. In \`bench/results/${name}.csv\`.*
<!-- /bench -->`;
}

/** Digits of large whole numbers in threes. */
function grouped(cell: string): string {
  return /^\d{4,}$/.test(cell) ? Number(cell).toLocaleString('en-US') : cell;
}

/**
 * Puts a block in the place of the one of that name.
 * @throws {Error} if the text has none
 */
export function replaceBlock(text: string, name: string, block: string): string {
  const found = blockOf(text, name);
  if (found === undefined) throw new Error(`There is no block <!-- bench:${name} --> to write to.`);
  return text.replace(found, () => block);
}

/** A block with its marks, or undefined. */
export function blockOf(text: string, name: string): string | undefined {
  const start = text.indexOf(`<!-- bench:${name} -->`);
  const end = text.indexOf('<!-- /bench -->', start);
  return start < 0 || end < 0 ? undefined : text.slice(start, end + '<!-- /bench -->'.length);
}
