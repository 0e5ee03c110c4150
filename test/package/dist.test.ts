import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { importsOf } from '../../scripts/import-rules.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const DIST = join(ROOT, 'dist');
const pkg = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const read = (name: string): string => readFileSync(join(DIST, name), 'utf8');
const listScripts = (): string[] =>
  readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));

beforeAll(() => {
  if (!existsSync(join(DIST, 'index.js'))) throw new Error('there is no dist: run `npm run build` first');
});

describe('the built package', () => {
  test('holds every file that package.json names', () => {
    const targets = Object.values(pkg.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target as Record<string, string>),
    );
    for (const file of [...targets, ...(Object.values(pkg.bin) as string[])]) {
      expect(existsSync(join(ROOT, file)), file).toBe(true);
    }
  });

  test.each([
    'nsdf-loader',
    'nsdf-loader/lod',
    'nsdf-loader/import',
    'nsdf-loader/three',
    'nsdf-loader/babylon',
    'nsdf-loader/babylon/metadata',
    'nsdf-loader/babylon/pure',
    'nsdf-loader/babylon/register',
    'nsdf-loader/gltf-transform',
  ])('imports %s by its public name in bare Node', (name) => {
    const script = `const entry = await import(${JSON.stringify(name)}); console.log(Object.keys(entry).length)`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT });
    expect(Number(output)).toBeGreaterThan(0);
  });

  test('uses node: in the CLI only', () => {
    for (const name of listScripts().filter((script) => !script.startsWith('cli'))) {
      const specifiers = importsOf(read(name)).map(({ specifier }) => specifier);
      expect(
        specifiers.filter((specifier) => specifier.startsWith('node:')),
        name,
      ).toEqual([]);
    }
  });

  test('needs no eval and no blob worker', () => {
    const forbidden = /\beval\(|new Function\(|createObjectURL/;
    expect(listScripts().filter((name) => forbidden.test(read(name)))).toEqual([]);
  });

  test('names workers relative to the files that start them', () => {
    const WORKER_START = /new (?:Node)?Worker(?:\$\d+)?\(new URL\("([^"]+)", import\.meta\.url\)/;
    const started = listScripts().flatMap((name) => {
      const specifier = WORKER_START.exec(read(name))?.[1];
      return specifier === undefined ? [] : [resolve(dirname(join(DIST, name)), specifier)];
    });
    const workers = ['worker.js', 'train-worker.js', 'cli/node-train-worker.js'];
    expect([...new Set(started)].sort()).toEqual(workers.map((name) => join(DIST, name)).sort());
  });

  test('has a worker in one file, which needs no import map', () => {
    expect(importsOf(read('worker.js'))).toEqual([]);
  });

  test('needs no WebAssembly, which a strict content security policy forbids, but for training, which can do without', () => {
    const known = new Set<string>();
    const follow = (name: string): void => {
      if (known.has(name)) return;
      known.add(name);
      for (const { specifier } of importsOf(read(name))) {
        if (specifier.startsWith('.')) follow(posix.join(posix.dirname(name), specifier));
      }
    };
    const targets = Object.values(pkg.exports).flatMap((target) =>
      typeof target === 'string' ? [] : [(target as { default: string }).default.replace('./dist/', '')],
    );
    const usesIt = (name: string): boolean => /\bWebAssembly\.|\bKERNEL_MODULE\b/.test(read(name));
    targets.filter((name) => !name.startsWith('train')).forEach(follow);
    expect(known.size).toBeGreaterThan(20);
    expect([...known].filter(usesIt)).toEqual([]);
    expect(listScripts().filter(usesIt)).toContain('train-worker.js');
  });

  test('has a command that starts with a shebang', () => {
    expect(read('cli/nsdf.js').startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(statSync(join(DIST, 'cli/nsdf.js')).mode & 0o111).not.toBe(0);
  });
});

describe('what npm packs', () => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: ROOT });
  const [{ files }] = JSON.parse(packed.toString()) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);

  test('has no dead links in its documents', () => {
    const documents = paths.filter((path) => path.endsWith('.md'));
    expect(documents.length).toBeGreaterThan(10);
    const dead = documents.flatMap((document) => {
      const text = readFileSync(join(ROOT, document), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
        posix.join(posix.dirname(document), link as string),
      );
      const isThere = (link: string) => paths.some((path) => path === link || path.startsWith(`${link}/`));
      return links.filter((link) => !isThere(link)).map((link) => `${document}: ${link}`);
    });
    expect(dead).toEqual([]);
  });

  test('has no source maps, and nothing that points at one', () => {
    expect(paths.filter((path) => path.endsWith('.map'))).toEqual([]);
    expect(listScripts().filter((name) => /^\/\/# sourceMappingURL/m.test(read(name)))).toEqual([]);
  });

  test('installs nothing else; what the command needs is in it, with its licence', () => {
    expect(pkg).not.toHaveProperty('dependencies');
    const command = read('cli/nsdf.js');
    const names = importsOf(command).flatMap(({ specifier }) =>
      /^(node:|\.)/.test(specifier) ? [] : [specifier],
    );
    // What is there or not: loaded where it is needed, and declared as such.
    for (const name of names) {
      expect(pkg.peerDependenciesMeta[name], name).toEqual({ optional: true });
      expect(command).not.toMatch(new RegExp(`from '${name}'`));
    }
    for (const name of ['commander', 'fast-png', 'iobuffer', 'fflate', 'jpeg-js'])
      expect(paths).toContain(`dist/cli/LICENSE-${name}`);
  });
});
