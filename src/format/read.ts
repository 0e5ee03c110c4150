import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset } from './asset.ts';
import { alignedBytes, type BytesSource, holdsBytes } from './bytes.ts';
import { tablesOf } from './encodings.ts';
import { type GlbChunks, glbByteLength, parseGlbPrefix } from './glb.ts';
import { contentHash } from './hash.ts';
import { IssueList, type NsdfIssue } from './issues.ts';
import { type ParsedNsdf, parseGltf, parseNsdf } from './parse-nsdf.ts';
import { listFields, type NsdfFieldInstance, type NsdfNode, type NsdfScene } from './scene.ts';
import type { DecodeTables, TableStore } from './table-store.ts';

/**
 * Reads a `.nsdf` file: the graph of its default scene with the fields in it. f32 weights are views of `bytes` (which
 * must then not change) where those begin at a multiple of four, f16 weights are decoded. Nodes that share a mesh, and fields that share weights, share objects.
 * @throws {NsdfFormatError} at the first broken rule, with its byte or JSON pointer (`validateNsdf` lists them all).
 * @throws {NsdfUnsupportedError} for required extensions, versions, encoders, conventions and activations not known.
 * @example
 * const scene = readNsdf(await (await fetch('bunny.nsdf')).arrayBuffer());
 * const name = scene.nodes[0].mesh?.fields[0].asset.name;
 */
export function readNsdf(bytes: BytesSource): NsdfScene {
  return parseOrThrow(bytes).scene;
}

/**
 * The file's first field: in the order of the scene graph, else of its meshes. Node transforms are not applied.
 * @throws as {@link readNsdf}.
 */
export function readField(bytes: BytesSource): FieldAsset {
  const { scene, meshes } = parseOrThrow(bytes);
  const first = firstField(scene.nodes) ?? meshes.find(({ fields }) => fields.length > 0)?.fields[0].asset;
  if (first === undefined) throw new NsdfFormatError('the file has no field', { field: '/meshes' });
  return first;
}

/** The fields of every mesh, by the mesh's index in the file; within one in the order of its primitives. */
export type MeshFields = readonly (readonly FieldAsset[])[];

/**
 * The fields of every mesh. Their arrays are their own: nothing holds on to `bytes`. For engines' plugins, whose glTF loaders
 * build the graph.
 * @throws as {@link readNsdf}.
 */
export function readMeshFields(bytes: BytesSource): MeshFields {
  return detachedFields(parseOrThrow(bytes));
}

/**
 * As {@link readMeshFields}, with coded tables decoded elsewhere.
 * @param tables a patient store: those of the file that are decoded already, while it arrived say.
 * @throws as {@link readNsdf}, and what `decode` throws.
 */
export async function readMeshFieldsWith(
  bytes: BytesSource,
  decode: DecodeTables,
  tables: TableStore,
): Promise<MeshFields> {
  const file = alignedBytes(bytes);
  for (;;) {
    const issues = new IssueList();
    const parsed = parseNsdf(file, issues, tables);
    // What is wrong with a file shows when its tables are there: empty ones are wrong, too.
    if (!tables.isMissingSome) return detachedFields(checked(parsed, issues));
    await tables.fill(decode);
  }
}

function detachedFields({ meshes }: ParsedNsdf): MeshFields {
  return detach(
    meshes.map(({ fields }) => fields.map(({ asset }) => asset)),
    new Map(),
  );
}

/**
 * Copies a plain object tree, so that no typed array is part of a larger buffer; what was one object stays one, and arrays
 * that have their buffer to themselves stay themselves.
 */
function detach<T>(root: T, copies: Map<unknown, unknown>): T {
  if (typeof root !== 'object' || root === null) return root;
  const known = copies.get(root);
  if (known !== undefined) return known as T;
  const copy = ArrayBuffer.isView(root)
    ? root.byteLength === root.buffer.byteLength
      ? root
      : (root as unknown as Float32Array).slice()
    : Array.isArray(root)
      ? root.map((item) => detach(item, copies))
      : Object.fromEntries(Object.entries(root).map(([key, value]) => [key, detach(value, copies)]));
  copies.set(root, copy);
  return copy as T;
}

function parseOrThrow(bytes: BytesSource, tables?: TableStore): ParsedNsdf {
  const issues = new IssueList();
  return checked(parseNsdf(alignedBytes(bytes), issues, tables), issues);
}

function checked(parsed: ParsedNsdf | null, issues: IssueList): ParsedNsdf {
  issues.throwFirstError(': validateNsdf lists them');
  return parsed as ParsedNsdf;
}

function firstField(nodes: readonly NsdfNode[]): FieldAsset | undefined {
  for (const node of nodes) {
    const found = node.mesh?.fields[0]?.asset ?? firstField(node.children);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the first bytes of a `.nsdf` file tell before the rest has arrived. */
export interface NsdfPrefix {
  /** Length of the whole file, as its header says. */
  readonly byteLength: number;
  /**
   * Fields that can be shown already, where the scene puts them. Grid levels that have not arrived count as features of
   * zero: another function than the whole field's, rough, good for a preview and for nothing else (docs/theory.md). The
   * fallback mesh is there once it has arrived.
   */
  readonly fields: readonly NsdfFieldInstance[];
  /** Grid levels that have arrived, of the field that has the fewest; and the most that a field will have. */
  readonly nLevels: number;
  readonly nLevelsTotal: number;
  /** With that many bytes there will be more to see; null where nothing more is to come. */
  readonly nextByteLength: number | null;
}

/**
 * Reads what has arrived of a file: MLPs and coarse levels come first. Null before its JSON is whole, and for what is no
 * `.nsdf`. Never throws: what is wrong with a file is told by `readNsdf` once it is whole, and nothing that comes from a
 * prefix has been held against the file's hash.
 * @param source the file's first bytes; weights are views of them where they begin at a multiple of four.
 * @param tables of a file that is read several times as it arrives: its coded tables are decoded once.
 * @example
 * const prefix = readNsdfPrefix(bytes.subarray(0, 20_000));
 * for (const { field, matrixWorld } of prefix?.fields ?? []) draw(await deriveMesh(field.asset), matrixWorld);
 */
export function readNsdfPrefix(source: BytesSource, tables?: TableStore): NsdfPrefix | null {
  if (!holdsBytes(source)) return null;
  const received = alignedBytes(source);
  const byteLength = glbByteLength(received);
  const glb = byteLength === null ? null : parseGlbPrefix(received);
  if (byteLength === null || glb === null) return null;
  const issues = new IssueList();
  const parsed = parseGltf(glb, issues, tables);
  if (parsed === null) return null;
  const fields = listFields(parsed.scene);
  const counts = fields.map(({ field: { asset } }) => tablesOf(asset.encoding).length);
  return {
    byteLength,
    fields,
    nLevels: counts.length === 0 ? 0 : counts.reduce((least, n) => Math.min(least, n)),
    nLevelsTotal: countLevels(glb.json),
    nextByteLength: nextEnd(glb, received.length),
  };
}

/** As {@link readNsdfPrefix}, with coded tables decoded elsewhere. @throws what `decode` throws. */
export async function readNsdfPrefixWith(
  source: BytesSource,
  decode: DecodeTables,
  tables: TableStore,
): Promise<NsdfPrefix | null> {
  for (;;) {
    const prefix = readNsdfPrefix(source, tables);
    if (!tables.isMissingSome) return prefix;
    await tables.fill(decode);
  }
}

/** The most levels that a field of the file names; a number for show, from JSON that is not checked. */
function countLevels(json: unknown): number {
  let most = 0;
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 8) return;
    const { levels } = value as { levels?: unknown };
    if (Array.isArray(levels)) most = Math.max(most, levels.length);
    for (const child of Object.values(value)) visit(child, depth + 1);
  };
  visit((json as { meshes?: unknown } | null)?.meshes, 0);
  return most;
}

/** The least end of a bufferView beyond what has arrived, from JSON that is not checked. */
function nextEnd({ json, binByteOffset }: GlbChunks, nReceived: number): number | null {
  const { bufferViews } = (json ?? {}) as { bufferViews?: unknown };
  if (!Array.isArray(bufferViews)) return null;
  let next = Number.POSITIVE_INFINITY;
  for (const view of bufferViews as readonly unknown[]) {
    const { byteOffset = 0, byteLength } = (view ?? {}) as Record<string, unknown>;
    if (typeof byteOffset !== 'number' || typeof byteLength !== 'number') continue;
    const end = binByteOffset + byteOffset + byteLength;
    if (end > nReceived) next = Math.min(next, end);
  }
  return Number.isFinite(next) ? next : null;
}

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
