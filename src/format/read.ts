import { NsdfFormatError } from '../errors.ts';
import type { FieldAsset } from './asset.ts';
import { alignedBytes, type BytesSource } from './bytes.ts';
import { IssueList } from './issues.ts';
import { type ParsedNsdf, parseNsdf } from './parse-nsdf.ts';
import type { NsdfNode, NsdfScene } from './scene.ts';
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
