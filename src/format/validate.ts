import type { FieldAsset } from './asset.ts';
import { contentHash } from './hash.ts';
import { IssueList, type NsdfIssue } from './issues.ts';
import { parseNsdf } from './parse-nsdf.ts';

/**
 * Lists every issue of a file with its place; an empty list, or one without errors, means that `readNsdf` reads it.
 * Never throws. The stored SHA-256 is not checked: see {@link verifyNsdf}.
 */
export function validateNsdf(bytes: ArrayBuffer | Uint8Array): readonly NsdfIssue[] {
  const issues = new IssueList();
  parseNsdf(asBytes(bytes), issues);
  return issues.issues;
}

/** As `validateNsdf`, and holds every stored SHA-256 against the weights. Never rejects. */
export async function verifyNsdf(bytes: ArrayBuffer | Uint8Array): Promise<readonly NsdfIssue[]> {
  const issues = new IssueList();
  const parsed = parseNsdf(asBytes(bytes), issues);
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

function asBytes(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}
