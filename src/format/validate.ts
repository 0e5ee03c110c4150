import type { FieldAsset } from './asset.ts';
import { alignedBytes, type BytesSource, holdsBytes } from './bytes.ts';
import { contentHash } from './hash.ts';
import { IssueList, type NsdfIssue } from './issues.ts';
import { type ParsedNsdf, parseNsdf } from './parse-nsdf.ts';

/**
 * Lists every issue of a file with its place; an empty list, or one without errors, means that `readNsdf` reads it.
 * Never throws. The stored SHA-256 is not checked: see {@link verifyNsdf}.
 */
export function validateNsdf(bytes: BytesSource): readonly NsdfIssue[] {
  const issues = new IssueList();
  parseSource(bytes, issues);
  return issues.issues;
}

/** As `validateNsdf`, and holds every stored SHA-256 against the weights. Never rejects. */
export async function verifyNsdf(bytes: BytesSource): Promise<readonly NsdfIssue[]> {
  const issues = new IssueList();
  const parsed = parseSource(bytes, issues);
  const hashes = new Map<FieldAsset, string>();
  for (const { name, fields } of parsed?.meshes ?? []) {
    for (const { asset, sha256 } of fields) {
      if (sha256 === null) continue;
      const found = hashes.get(asset) ?? (await contentHash(asset));
      hashes.set(asset, found);
      if (found === sha256) continue;
      const message = `the weights have SHA-256 ${found}, the file says ${sha256}: it is damaged`;
      issues.error('hash', message, { path: `/meshes (${name})` });
    }
  }
  return issues.issues;
}

/** What holds no bytes is an issue here as any other. */
function parseSource(source: BytesSource, issues: IssueList): ParsedNsdf | null {
  if (holdsBytes(source)) return parseNsdf(alignedBytes(source), issues);
  issues.error('container', 'no bytes: expected an ArrayBuffer, a typed array or a Buffer');
  return null;
}
