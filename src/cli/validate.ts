import { Command } from 'commander';
import type { NsdfIssue } from '../format/issues.ts';
import { verifyNsdf } from '../format/validate.ts';
import { readSelfContained } from './files.ts';
import { plural, printJson, printLines } from './output.ts';

/** `nsdf validate A.nsdf`: every issue with its place. */
export function validateCommand(): Command {
  return new Command('validate')
    .description('list every issue of a .nsdf with its place; fails where there is an error')
    .argument('<file>')
    .option('--json', 'print one JSON object')
    .action(async (path: string, options: { json?: boolean }) => {
      const issues = await verifyNsdf(await readSelfContained(path));
      const count = (severity: NsdfIssue['severity']) =>
        issues.filter((issue) => issue.severity === severity).length;
      const [nErrors, nWarnings] = [count('error'), count('warning')];
      if (nErrors > 0) process.exitCode = 1;
      if (options.json) return printJson({ file: path, isValid: nErrors === 0, nErrors, nWarnings, issues });
      printLines([
        `${path}: ${nErrors === 0 ? 'valid' : 'not valid'}, ${plural(nErrors, 'error')}, ${plural(nWarnings, 'warning')}`,
        ...issues.map(issueLine),
      ]);
    });
}

function issueLine({ severity, code, message, path, byteOffset }: NsdfIssue): string {
  const place = [path, byteOffset === undefined ? undefined : `byte ${byteOffset}`]
    .filter(Boolean)
    .join(', ');
  return `  ${severity} ${code}${place === '' ? '' : ` at ${place}`}: ${message}`;
}
