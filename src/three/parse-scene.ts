import { Group, type Loader, type LoadingManager, type Object3D } from 'three';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { loadMeshFields, type TableStore } from '../index.ts';
import { raceAbort } from '../plugin/abort.ts';
import { loadOptionsOf, type NSDFProgress } from '../plugin/derive-settings.ts';
import type { FieldSettings } from '../plugin/lod-settings.ts';
import { withExternalBuffers } from './external-buffers.ts';
import { GLTFNSDFExtension } from './gltf-nsdf-extension.ts';
import { NSDFGroup } from './nsdf-group.ts';

/** What making a scene of bytes needs to know. */
export interface ParseSceneOptions {
  readonly settings: FieldSettings;
  readonly signal: AbortSignal;
  /** The file's coded tables, where some may be decoded already. */
  readonly tables?: TableStore;
  readonly resourcePath: string;
  /** For textures and buffers that lie beside the file. */
  readonly manager: LoadingManager;
  /** The loader whose request settings those get, too. */
  readonly template: Loader;
  readonly onProgress?: (progress: NSDFProgress) => void;
}

/**
 * Makes a scene of a `.nsdf` file's bytes: our reader checks the file and decodes its fields, three's GLTFLoader makes
 * the graph around them.
 * @throws {NsdfFormatError} if the file is damaged; the signal's reason on abort.
 */
export async function parseScene(
  data: ArrayBuffer | ArrayBufferView,
  options: ParseSceneOptions,
): Promise<NSDFGroup> {
  const { settings, signal, tables, onProgress, resourcePath } = options;
  const bytes = await withExternalBuffers(toBytes(data), options);
  // Names what is wrong with a damaged file, and where; GLTFLoader would throw, hang or allocate without a word.
  const fields = await loadMeshFields(bytes, loadOptionsOf(settings, signal, tables));
  const loader = configure(new GLTFLoader(options.manager), options.template);
  const extension = { ...settings, signal, fields, fallback: false, ...(onProgress && { onProgress }) };
  loader.register((parser) => new GLTFNSDFExtension(parser, extension));
  const building = loader.parseAsync(toArrayBuffer(bytes), resourcePath).then(toGroup);
  return raceAbort(building, signal, (late) => late.dispose());
}

function configure(loader: GLTFLoader, template: Loader): GLTFLoader {
  loader.crossOrigin = template.crossOrigin;
  loader.withCredentials = template.withCredentials;
  loader.requestHeader = template.requestHeader;
  loader.priority = template.priority;
  loader.cache = template.cache;
  return loader;
}

function toBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** GLTFLoader takes whole ArrayBuffers only; nothing is copied where the view spans its buffer. */
function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength) return buffer;
  return bytes.slice().buffer as ArrayBuffer;
}

/** The default scene as our group: its name, extras, children and animations. */
async function toGroup(gltf: GLTF): Promise<NSDFGroup> {
  const scene: Object3D = gltf.scene ?? (await gatherRoots(gltf));
  const group = new NSDFGroup();
  Group.prototype.copy.call(group, scene as Group, false);
  group.animations = gltf.animations;
  group.copyright = gltf.asset.copyright ?? null;
  addAll(group, [...scene.children]); // adding takes them out of the scene
  return group;
}

/** A file without scenes shows all its nodes. */
async function gatherRoots({ parser }: GLTF): Promise<Group> {
  const nodes: Object3D[] = await parser.getDependencies('node');
  return addAll(
    new Group(),
    nodes.filter((node) => node.parent === null),
  );
}

/** `add` without anything to add logs an error. */
function addAll(group: Group, children: readonly Object3D[]): Group {
  for (const child of children) group.add(child);
  return group;
}
