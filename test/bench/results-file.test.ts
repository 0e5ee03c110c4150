import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  blockOf,
  DOC_TABLES,
  parseCsv,
  replaceBlock,
  resultsUrl,
  toBlock,
  toCsv,
} from '../../bench/results-file.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const docs = ['README.md', 'CONTRIBUTING.md', ...listDocs()];

function listDocs(): string[] {
  const names = readdirSync(new URL('docs', ROOT), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`);
}

const RESULTS = {
  about: { machine: '3 cores: slow', date: '2026-02-03', commit: 'abc1234' },
  columns: ['method', '', 'vertices'],
  rows: [
    ['plain, "dense"', '', 12345],
    ['', '1e-3', 999],
  ],
};

describe('results', () => {
  it('are the same after writing and reading', () => {
    const text = toCsv(RESULTS);
    expect(parseCsv(text)).toEqual({ ...RESULTS, rows: RESULTS.rows.map((row) => row.map(String)) });
    expect(toCsv(parseCsv(text))).toBe(text);
  });

  it('become a table that says where it comes from, in the place of the one before', () => {
    const doc =
      'a\n<!-- bench:x -->\nold $& figures\n<!-- /bench -->\nb\n<!-- bench:y -->\n<!-- /bench -->\n';
    const block = toBlock('x', RESULTS);
    expect(block).toContain('| plain, "dense" | | 12,345 |\n| | 1e-3 | 999 |\n');
    expect(block).toMatch(/machine: 3 cores: slow; date: 2026-02-03; commit: abc1234/);
    const written = replaceBlock(doc, 'x', block);
    expect(written).toBe(`a\n${block}\nb\n<!-- bench:y -->\n<!-- /bench -->\n`);
    expect(blockOf(written, 'x')).toBe(block);
    expect(() => replaceBlock(doc, 'z', block)).toThrow('bench:z');
  });
});

describe.each(DOC_TABLES)('the table $name of $doc', ({ name, doc }) => {
  it('is what its committed file says', () => {
    const results = parseCsv(readFileSync(resultsUrl(name), 'utf8'));
    expect(results.about).toMatchObject({
      machine: expect.stringMatching(/./),
      date: expect.stringMatching(/\d{4}-\d\d-\d\d/),
      commit: expect.stringMatching(/[0-9a-f]{7}/),
    });
    expect(blockOf(read(doc), name)).toBe(toBlock(name, results));
  });
});

it('every block of the docs is one that a benchmark writes, and every file that they cite is there', () => {
  for (const doc of docs) {
    const text = read(doc);
    const blocks = [...text.matchAll(/<!-- bench:(\S+) -->/g)].map(([, name]) => ({ name, doc }));
    for (const block of blocks) expect(DOC_TABLES).toContainEqual(block);
    const cited = [...text.matchAll(/`(?:bench\/results\/)?([\w.-]+\.csv)`/g)].map(
      ([, name]) => name as string,
    );
    const kept = read('bench/results/.gitignore').split('\n');
    for (const name of cited) {
      expect(existsSync(new URL(`bench/results/${name}`, ROOT)), `${doc} cites ${name}`).toBe(true);
      expect(kept, `${doc} cites ${name}`).toContain(`!${name}`);
    }
  }
});
