import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ENTRIES } from '../../scripts/entries.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const guides = readdirSync(join(ROOT, 'docs/guides')).map((name) => `docs/guides/${name}`);
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...guides];
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

/** The TypeScript examples of a document, as modules beside it that do not exist on disk. */
function examplesOf(document: string): Map<string, string> {
  const blocks = [...read(document).matchAll(/^```(tsx?)\n(.*?)^```/gms)];
  return new Map(
    blocks.map(([, kind, code], i) => [
      join(ROOT, `${document}.example-${i}.${kind}`),
      `${code}\nexport {};\n`,
    ]),
  );
}

/** What was read and parsed of the sources and of what they import, for all programs: that takes longer than the examples. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Type errors of modules that are given as text; the package's names lead to the sources. */
function typeErrors(modules: Map<string, string>): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, ROOT);
  const paths = Object.fromEntries(
    Object.entries(ENTRIES).map(([name, source]) => [
      name === 'index' ? 'nsdf-loader' : `nsdf-loader/${name}`,
      [`./${source}`],
    ]),
  );
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists(name);
  host.readFile = (name) => modules.get(name) ?? readFile(name);
  host.getSourceFile = (name, language) => {
    const text = modules.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, language);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, language));
    return parsed.get(name);
  };
  const program = ts.createProgram([...modules.keys()], { ...options, paths }, host);
  return [...modules.keys()].flatMap((name) => {
    const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(name));
    return diagnostics.map(
      ({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}

describe('the documents', () => {
  test('have examples that compile', () => {
    const modules = new Map(DOCUMENTS.flatMap((document) => [...examplesOf(document)]));
    expect(modules.size).toBeGreaterThan(3);
    expect(typeErrors(modules)).toEqual([]);
  });

  test('would not pass an example that does not', () => {
    const wrong = "import { deriveMesh } from 'nsdf-loader';\nderiveMesh('bunny');\n";
    expect(typeErrors(new Map([[join(ROOT, 'wrong.ts'), wrong]]))).toHaveLength(1);
  });

  test.each(DOCUMENTS)('%s links to files that exist', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link as string);
    for (const link of links) {
      expect(
        ts.sys.fileExists(join(ROOT, dirname(document), link)) ||
          ts.sys.directoryExists(join(ROOT, dirname(document), link)),
        link,
      ).toBe(true);
    }
  });

  test.each(DOCUMENTS)('%s names npm scripts that exist', (document) => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...read(document).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name as string);
    for (const name of named) expect(scripts).toHaveProperty([name]);
  });
});
