import { BUDGETS } from '../budgets.ts';
import { decodeField } from './decode-field.ts';
import { EXTENSION_NAME } from './extension.ts';
import { type GlbChunks, parseGlb } from './glb.ts';
import { fileWeightSource, readBufferViews } from './gltf-buffers.ts';
import { FallbackReader } from './gltf-fallback.ts';
import { buildNodes, readLinks, readMaterials, readRoots } from './gltf-nodes.ts';
import type { IssueList } from './issues.ts';
import { describe, JsonObject, pointer } from './json-object.ts';
import type { NsdfField, NsdfMaterial, NsdfMesh, NsdfScene } from './scene.ts';
import { TableStore } from './table-store.ts';
import type { WeightSource } from './weights.ts';

/** A file as far as it could be read. */
export interface ParsedNsdf {
  readonly scene: NsdfScene;
  /** All meshes of the file with their fields, in the file's order, also those outside the default scene. */
  readonly meshes: readonly NsdfMesh[];
}

/** Extensions about looks, lights and motion: whatever they say, the fields and where they stand are the same. */
const BESIDE_FIELDS = /^(KHR_(materials_|texture_|lights_|animation_|xmp)|EXT_texture_)/;

/** What primitives are read with. */
interface Resources {
  readonly materials: readonly (NsdfMaterial | null)[];
  readonly weights: WeightSource;
  readonly fallbacks: FallbackReader;
}

/**
 * Reads a file and records everything that is wrong with it: the one definition of the format's rules. Reader and
 * validator differ only in what they do with the issues. Null if nothing could be read.
 * @param tables those that are decoded already; decodes the others, or notes them.
 */
export function parseNsdf(file: Uint8Array, issues: IssueList, tables?: TableStore): ParsedNsdf | null {
  const glb = parseGlb(file, issues);
  return glb && parseGltf(glb, issues, tables);
}

/** As {@link parseNsdf}, of a GLB already taken apart. */
export function parseGltf(glb: GlbChunks, issues: IssueList, tables = new TableStore()): ParsedNsdf | null {
  const root = JsonObject.of(glb.json, '', issues);
  if (root === null) return null;
  const asset = checkGltf(root);
  const meshes = readMeshes(root, glb, tables);
  noteEmpty(meshes, issues);
  const nodes = root.optionalObjects('nodes');
  const links = readLinks(root, nodes);
  const { roots, name } = readRoots(root, links);
  const scene = {
    name,
    copyright: asset?.has('copyright') ? asset.text('copyright') : null,
    generator: asset?.has('generator') ? asset.text('generator') : null,
    nodes: buildNodes(nodes, links, roots, meshes),
  };
  return { scene, meshes: meshes.filter((mesh): mesh is NsdfMesh => mesh !== null) };
}

/** A file that shows nothing is an empty scene; one that shows other things than fields is somebody else's. */
function noteEmpty(meshes: readonly (NsdfMesh | null)[], issues: IssueList): void {
  if (meshes.some((mesh) => mesh !== null && mesh.fields.length > 0) || issues.nErrors > 0) return;
  if (meshes.length === 0) {
    issues.note('warning', 'empty', 'the file has no mesh: an empty scene', { path: '/meshes' });
    return;
  }
  const found = `it has no mesh primitive with the extension ${EXTENSION_NAME}`;
  const message = `an ordinary glTF without a neural field: ${found}; an ordinary glTF loader shows it`;
  issues.error('empty', message, { path: '/meshes' });
}

/** glTF's version and the extensions that the file cannot do without. Gives the `asset` object. */
function checkGltf(root: JsonObject): JsonObject | null {
  const asset = root.object('asset');
  const version = asset?.text('version');
  if (asset && typeof version === 'string' && !/^2\.\d+$/.test(version)) {
    asset.issues.unsupported(
      `glTF ${version.slice(0, 20)}`,
      `glTF version ${describe(version)}, expected 2.0`,
      asset.place('version'),
    );
  }
  const minVersion = asset?.has('minVersion') ? asset.text('minVersion') : null;
  if (asset && minVersion !== null && minVersion !== '2.0') {
    const message = `the file needs a reader of glTF ${describe(minVersion)}, this one reads 2.0`;
    asset.issues.unsupported(`glTF ${minVersion.slice(0, 20)}`, message, asset.place('minVersion'));
  }
  readNames(root, 'extensionsRequired').forEach((name, index) => {
    if (name === EXTENSION_NAME || BESIDE_FIELDS.test(name)) return;
    const message = `the file requires the extension ${describe(name)}, which this package does not know`;
    root.issues.unsupported(name.slice(0, 60), message, { path: pointer('/extensionsRequired', index) });
  });
  return asset;
}

function readNames(root: JsonObject, key: string): string[] {
  const value = root.has(key) ? root.value[key] : [];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  root.issues.error(
    'property-type',
    `expected an array of strings, found ${describe(value)}`,
    root.place(key),
  );
  return [];
}

function readMeshes(root: JsonObject, glb: GlbChunks, tables: TableStore): (NsdfMesh | null)[] {
  const views = readBufferViews(root, glb);
  const resources: Resources = {
    materials: readMaterials(root),
    weights: fileWeightSource(views, glb, tables),
    fallbacks: new FallbackReader(root.optionalObjects('accessors'), views, 4 * glb.bin.length),
  };
  const json = root.optionalObjects('meshes');
  const nFields = countFields(json);
  if (nFields > BUDGETS.nFields) {
    const message = `the file has ${nFields} fields, at most ${BUDGETS.nFields} are read: split it into several files`;
    root.issues.unsupported('field-count', message, { path: '/meshes' });
    return json.map(() => null);
  }
  const meshes = json.map((mesh) => mesh && readMesh(mesh, resources));
  const hasFields = meshes.some((mesh) => mesh !== null && mesh.fields.length > 0);
  if (hasFields && !readNames(root, 'extensionsUsed').includes(EXTENSION_NAME)) {
    const message = `${EXTENSION_NAME} is used but not listed in extensionsUsed`;
    root.issues.note('warning', 'reference', message, root.place('extensionsUsed'));
  }
  return meshes;
}

/** Primitives that carry a field, whatever is wrong with it. */
function countFields(meshes: readonly (JsonObject | null)[]): number {
  let n = 0;
  for (const mesh of meshes) {
    const primitives: unknown = mesh?.value.primitives;
    if (!Array.isArray(primitives)) continue;
    for (const primitive of primitives as readonly ({ extensions?: Record<string, unknown> | null } | null)[])
      if (primitive?.extensions?.[EXTENSION_NAME] !== undefined) n++;
  }
  return n;
}

function readMesh(json: JsonObject, resources: Resources): NsdfMesh {
  const name = json.text('name', '') ?? '';
  const primitives = json.objects('primitives') ?? [];
  const fields = primitives.map((primitive) => primitive && readPrimitive(primitive, name, resources));
  return { name, fields: fields.filter((field): field is NsdfField => field !== null) };
}

/** The field of one primitive; null if it carries none, which is worth a note, or a broken one. */
function readPrimitive(primitive: JsonObject, meshName: string, resources: Resources): NsdfField | null {
  const extensions = primitive.optionalObject('extensions');
  if (!extensions?.has(EXTENSION_NAME)) {
    const message = 'a primitive without neural field: left to ordinary glTF loaders';
    primitive.issues.note('info', 'property-unknown', message, { path: primitive.path });
    return null;
  }
  const json = extensions.object(EXTENSION_NAME);
  const decoded = json && decodeField(json, meshName, resources.weights);
  const fallback = resources.fallbacks.read(primitive);
  const material = readMaterialReference(primitive, resources.materials);
  return decoded && { ...decoded, fallback, material };
}

function readMaterialReference(
  primitive: JsonObject,
  materials: Resources['materials'],
): NsdfMaterial | null {
  const index = primitive.has('material') ? primitive.index('material') : null;
  if (index === null || index < materials.length) return index === null ? null : materials[index];
  primitive.issues.error('reference', `there is no material ${index}`, primitive.place('material'));
  return null;
}
