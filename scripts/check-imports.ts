// Holds the layout's import rules (scripts/import-rules.ts): prints each violation, exits with 1 if there is one.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findImportViolations } from './import-rules.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name.split(sep).join('/')}`);
const violations = files.flatMap((file) =>
  findImportViolations(file, readFileSync(join(ROOT, file), 'utf8')),
);
for (const { path, line, specifier, reason } of violations) {
  console.error(`${path}:${line} imports '${specifier}': ${reason}`);
}
console.error(`imports: ${files.length} files, ${violations.length} against the rules`);
if (violations.length > 0) process.exitCode = 1;
