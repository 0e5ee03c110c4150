import { Command } from 'commander';
import type { NsdfIssue } from '../format/issues.ts';
import { readNsdf, verifyNsdf } from '../format/read.ts';
import { listFields } from '../format/scene.ts';
import { verifyPartitions } from '../pipeline/packed-partitions.ts';
import { type ReadingOptions, readSelfContained } from './files.ts';
import { plural, printJson, printLines } from './output.ts';

/** `nsdf validate A.nsdf`: every issue with its place. */
export function validateCommand(): Command {
  return new Command('validate')
    .description('list every issue of a .nsdf with its place; exit status 1 where there is an error')
    .argument('<file>', 'a .nsdf or .glb; - for standard input')
    .option('--json', 'print one JSON object instead of text')
    .action(async (path: string, options: ReadingOptions & { json?: boolean }) => {
      const bytes = await readSelfContained(path, options);
      const found = await verifyNsdf(bytes);
      const hasErrors = found.some(({ severity }) => severity === 'error');
      const issues = hasErrors ? found : [...found, ...(await partitionIssues(bytes))];
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

/** Partitions that no loader would use: a warning, for the field is there all the same. */
async function partitionIssues(bytes: Uint8Array): Promise<NsdfIssue[]> {
  const assets = new Set(listFields(readNsdf(bytes)).map(({ field }) => field.asset));
  const lists = [...assets].map(async (asset) => {
    const problems = await verifyPartitions(asset);
    return problems.map(({ index, message }): NsdfIssue => {
      const path = `${asset.name}/partitions/${index}`;
      return { severity: 'warning', code: 'reference', message: `${message}: it will not be used`, path };
    });
  });
  return (await Promise.all(lists)).flat();
}

function issueLine({ severity, code, message, path, byteOffset }: NsdfIssue): string {
  const place = [path, byteOffset === undefined ? undefined : `byte ${byteOffset}`]
    .filter(Boolean)
    .join(', ');
  return `  ${severity} ${code}${place === '' ? '' : ` at ${place}`}: ${message}`;
}
