import validator from 'gltf-validator';
import { EXTENSION_NAME } from '../../src/format/extension.ts';
import { packGlb, parseGlb } from '../../src/format/glb.ts';
import { IssueList } from '../../src/format/issues.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests break JSON on purpose, anywhere.
export type LooseJson = any;

/** JSON and bytes of a well-formed GLB, copied. */
export function unpack(file: Uint8Array): { json: LooseJson; bin: Uint8Array; binByteOffset: number } {
  const issues = new IssueList();
  const glb = parseGlb(file, issues);
  if (glb === null || issues.issues.length > 0) throw new Error(JSON.stringify(issues.issues));
  return { json: glb.json, bin: glb.bin.slice(), binByteOffset: glb.binByteOffset };
}

/** A copy of a file whose JSON was edited. */
export function editJson(file: Uint8Array, edit: (json: LooseJson) => void): Uint8Array {
  const { json, bin } = unpack(file);
  edit(json);
  return packGlb(json, bin);
}

/** As `editJson`, for the first extension object. */
export function editField(file: Uint8Array, edit: (field: LooseJson) => void): Uint8Array {
  return editJson(file, (json) => edit(firstField(json)));
}

export function firstField(json: LooseJson): LooseJson {
  return json.meshes[0].primitives[0].extensions[EXTENSION_NAME];
}

/** Errors and warnings that Khronos' validator finds. */
export async function khronosIssues(file: Uint8Array): Promise<string[]> {
  const { issues } = await validator.validateBytes(file, { maxIssues: 1000 });
  return issues.messages
    .filter(({ severity }) => severity <= 1)
    .map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
}
