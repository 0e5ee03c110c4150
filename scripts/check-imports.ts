// Holds the layout's import rules (scripts/import-rules.ts): prints each violation, and each rule for what is not there; exits
// with 1 if there is one.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findImportViolations, findStaleRules } from './import-rules.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((name) =>
  name.split(sep).join('/'),
);
const files = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`);
const violations = files.flatMap((file) =>
  findImportViolations(file, readFileSync(join(ROOT, file), 'utf8')),
);
for (const { path, line, specifier, reason } of violations) {
  console.error(`${path}:${line} imports '${specifier}': ${reason}`);
}
const stale = findStaleRules(names);
for (const name of stale)
  console.error(`scripts/import-rules.ts has a rule for src/${name}, which is not there`);
console.error(`imports: ${files.length} files, ${violations.length} against the rules`);
if (violations.length + stale.length > 0) process.exitCode = 1;
