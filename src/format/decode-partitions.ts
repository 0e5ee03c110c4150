import type { FieldAsset, PackedPartition } from './asset.ts';
import { type JsonObject, pointer } from './json-object.ts';
import type { BufferViews } from './weights.ts';

/** The first bytes of a partition record, "NSDP". */
const RECORD_MAGIC = [0x4e, 0x53, 0x44, 0x50];

/**
 * The partitions that a field's extension object names. Their records are looked into only when they are used: the
 * reader sees to it that they are there and are records.
 */
export function readPartitions(json: JsonObject, source: BufferViews): Pick<FieldAsset, 'partitions'> {
  if (!json.has('partitions')) return {};
  const listed = json.objects('partitions') ?? [];
  if (Array.isArray(json.value.partitions) && (listed.length === 0 || listed.length > 64)) {
    const message = `${listed.length} partitions, expected 1 to 64`;
    json.issues.error('property-range', message, json.place('partitions'));
    return {};
  }
  const partitions = listed.map((partition) => partition && readPartition(partition, source));
  const whole = partitions.filter((partition) => partition !== null);
  return whole.length === 0 ? {} : { partitions: whole };
}

function readPartition(json: JsonObject, source: BufferViews): PackedPartition | null {
  json.noteUnknown(['kind', 'bufferView']);
  const kind = json.choice('kind', ['regions', 'surface']);
  const bufferView = json.index('bufferView');
  if (kind === null || bufferView === null || source.isMissing?.(bufferView)) return null;
  const bytes = source.getBytes(bufferView);
  if (bytes === null) {
    json.issues.error(
      'reference',
      `there are no bytes for bufferView ${bufferView}`,
      json.place('bufferView'),
    );
    return null;
  }
  if (RECORD_MAGIC.every((byte, i) => bytes[i] === byte)) return { kind, bytes };
  const message = `bufferView ${bufferView} holds no partition record, expected it to begin with "NSDP"`;
  json.issues.error('reference', message, { path: pointer(json.path, 'bufferView') });
  return null;
}
