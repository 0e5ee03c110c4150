import { alignedBytes, type BytesSource, holdsBytes } from './bytes.ts';
import { type GlbChunks, glbByteLength, parseGlbPrefix } from './glb.ts';
import { listFields, type NsdfFieldInstance } from './instances.ts';
import { IssueList } from './issues.ts';
import { parseGltf } from './parse-nsdf.ts';
import type { DecodeTables, TableStore } from './table-store.ts';

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
  const counts = fields.map(({ field: { asset } }) =>
    asset.encoding.kind === 'hash-grid' ? asset.encoding.levels.length : 0,
  );
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
