import { Group, type Loader, LoaderUtils, type LoadingManager, type Object3D } from 'three';
import { type GLTF, GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { inlineBuffers, listExternalBuffers, loadMeshFields, type TableStore } from '../index.ts';
import { raceAbort } from '../plugin/abort.ts';
import { isForeignOrigin } from '../plugin/fetch-bytes.ts';
import { type FieldSettings, loadOptionsOf, type NSDFProgress } from '../plugin/settings.ts';
import { download } from './download.ts';
import { GLTFNSDFExtension } from './gltf-nsdf-extension.ts';
import { NSDFGroup } from './nsdf-group.ts';

/** What making a scene of bytes needs to know. */
interface ParseSceneOptions {
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

/** How to fetch what lies beside a file. */
interface BesideFile {
  readonly resourcePath: string;
  readonly manager: LoadingManager;
  /** The loader whose request settings the downloads get. */
  readonly template: Loader;
  readonly signal: AbortSignal;
}

/**
 * A file with the buffers in it that lay beside it, as the tiles of one large field have them; most files have none.
 * @throws {NsdfLoadError} if one cannot be downloaded, {NsdfFormatError} if it is too short; the signal's reason.
 */
async function withExternalBuffers(file: Uint8Array, beside: BesideFile): Promise<Uint8Array> {
  const uris = listExternalBuffers(file);
  if (uris.length === 0) return file;
  const buffers = uris.map(async (uri) => [uri, await downloadItem(uri, beside)] as const);
  return inlineBuffers(file, new Map(await Promise.all(buffers)));
}

/**
 * Downloads one buffer as an item of the manager, as three's own loaders do. Other origins than the file's get neither
 * the loader's headers nor credentials.
 */
async function downloadItem(uri: string, beside: BesideFile): Promise<Uint8Array> {
  const { manager, template, resourcePath, signal } = beside;
  const url = LoaderUtils.resolveURL(uri, resourcePath);
  const isForeign = isForeignOrigin(url, resourcePath);
  const credentials = template.withCredentials ? 'include' : 'same-origin';
  manager.itemStart(url);
  try {
    const bytes = await download(manager.resolveURL(url), {
      headers: isForeign ? {} : template.requestHeader,
      credentials: isForeign ? 'omit' : credentials,
      priority: template.priority ?? 'auto',
      cache: template.cache ?? 'default',
      signal,
    });
    return new Uint8Array(bytes);
  } catch (error) {
    manager.itemError(url);
    throw error;
  } finally {
    manager.itemEnd(url);
  }
}
