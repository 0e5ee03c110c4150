// For its effects: it brings the glTF 2.0 loader, and the instances that it makes of shared meshes.
import '@babylonjs/loaders/glTF/2.0/glTFLoader.js';
import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import type { IDisposable, Scene } from '@babylonjs/core/scene.js';
import { registerBuiltInGLTFExtensions } from '@babylonjs/loaders/glTF/2.0/Extensions/dynamic.js';
import { registeredGLTFExtensions } from '@babylonjs/loaders/glTF/2.0/glTFLoaderExtensionRegistry.js';
import { GLTFFileLoader, type IGLTFLoaderData } from '@babylonjs/loaders/glTF/glTFFileLoader.js';
import type { TableStore } from '../index.ts';
import { inlineBuffers, listExternalBuffers, loadMeshFields, NsdfArgumentError } from '../index.ts';
import { raceAbort } from '../plugin/abort.ts';
import { isForeignOrigin } from '../plugin/fetch-bytes.ts';
import { loadOptionsOf } from '../plugin/settings.ts';
import { fetchForeign } from './download.ts';
import type { NSDFPluginOptions } from './options.ts';
import { GLTF_EXTENSION_NAME, registerNSDFGLTFExtension } from './register-gltf-extension.ts';

/** Any of those that Babylon has built in: with one, the application has registered what it wants. */
const BUILT_IN_EXTENSION = 'KHR_texture_transform';

/** A file to load, and where what lies beside it is looked for. */
interface NSDFSource {
  readonly bytes: Uint8Array;
  readonly rootUrl: string;
  readonly fileName: string;
  /** Names of the nodes to load alone; null for the whole default scene. */
  readonly nodeNames: readonly string[] | null;
}

/**
 * Makes a container of a `.nsdf` file's bytes: our reader checks the file and decodes its fields, Babylon's glTF
 * loader builds the graph around them. The scene stays as it is until the container is added to it; after a failure
 * nothing is left.
 * @throws {NsdfFormatError} if the file is damaged; the signal's reason on abort.
 */
export async function loadContainer(
  scene: Scene,
  source: NSDFSource,
  {
    gltf,
    onProgress,
    onPreview: _onPreview,
    tables,
    ...settings
  }: NSDFPluginOptions & { readonly signal: AbortSignal; readonly tables: TableStore },
): Promise<AssetContainer> {
  const { signal } = settings;
  signal.throwIfAborted();
  registerExtensions();
  const extension = { ...settings, fallback: false, ...(onProgress && { onProgress }) };
  const extensionOptions = { ...gltf?.extensionOptions, [GLTF_EXTENSION_NAME]: extension };
  const loader = new GLTFFileLoader({ ...gltf, extensionOptions });
  const made = recordMade(loader);
  try {
    const bytes = await raceAbort(withExternalBuffers(loader, scene, source, signal), signal, () => {});
    // Names what is wrong with a damaged file, and where; Babylon's loader would not.
    const fields = await loadMeshFields(bytes, loadOptionsOf(settings, signal, tables));
    Object.assign(extension, { fields });
    return await raceAbort(build(loader, scene, { ...source, bytes }), signal, (late) => late.dispose());
  } catch (error) {
    loader.dispose();
    for (const thing of made.reverse()) thing.dispose();
    throw error;
  }
}

function registerExtensions(): void {
  if (!registeredGLTFExtensions.has(BUILT_IN_EXTENSION)) registerBuiltInGLTFExtensions();
  if (!registeredGLTFExtensions.has(GLTF_EXTENSION_NAME)) registerNSDFGLTFExtension();
}

/** Notes what the loader makes, as it makes it: a load that fails gives no container that could be disposed of. */
function recordMade(loader: GLTFFileLoader): IDisposable[] {
  const made: IDisposable[] = [];
  const note = (thing: IDisposable): void => {
    made.push(thing);
  };
  loader.onMeshLoadedObservable.add(note);
  loader.onMaterialLoadedObservable.add(note);
  loader.onTextureLoadedObservable.add(note);
  loader.onCameraLoadedObservable.add(note);
  return made;
}

/** The file with the buffers in it that lie beside it, as the tiles of one large field have them; most have none. */
async function withExternalBuffers(
  loader: GLTFFileLoader,
  scene: Scene,
  { bytes, rootUrl }: NSDFSource,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const uris = listExternalBuffers(bytes);
  if (uris.length === 0) return bytes;
  const load = async (uri: string): Promise<[string, Uint8Array]> => {
    const url = await loader.preprocessUrlAsync(rootUrl + uri, rootUrl);
    if (isForeignOrigin(rootUrl + uri, rootUrl)) return [uri, await fetchForeign(url, signal)];
    const data = await scene._loadFileAsync(url, undefined, true, true);
    return [uri, new Uint8Array(data as ArrayBuffer)];
  };
  return inlineBuffers(bytes, new Map(await Promise.all(uris.map(load))));
}

async function build(loader: GLTFFileLoader, scene: Scene, source: NSDFSource): Promise<AssetContainer> {
  const data = selectNodes(await unpack(loader, scene, source), source.nodeNames);
  return loader.loadAssetContainerAsync(scene, data, source.rootUrl, undefined, source.fileName);
}

function unpack(
  loader: GLTFFileLoader,
  scene: Scene,
  { bytes, rootUrl, fileName }: NSDFSource,
): Promise<IGLTFLoaderData> {
  return new Promise((resolve, reject) => {
    const onData = (data: unknown): void => resolve(data as IGLTFLoaderData);
    const onError = (_request?: unknown, error?: unknown): void => reject(error);
    loader.loadFile(scene, bytes, rootUrl, onData, undefined, true, onError, fileName);
  });
}

interface SceneJson {
  scene?: number;
  scenes?: { nodes?: number[] }[];
  readonly nodes?: readonly { readonly name?: string; readonly children?: readonly number[] }[];
}

/**
 * Has the loader build some nodes alone, each with what is below it; all of them where no names are given and the
 * file has no scene. Changes the JSON, which belongs to one load.
 * @throws {NsdfArgumentError} if there is no node of a name.
 */
function selectNodes(data: IGLTFLoaderData, names: readonly string[] | null): IGLTFLoaderData {
  const json: SceneJson = data.json;
  if (names === null && json.scenes?.length) return data;
  const nodes = names?.map((name) => findNode(json, name)) ?? rootsOf(json);
  json.scenes = [...(json.scenes ?? []), { nodes }];
  json.scene = json.scenes.length - 1;
  return data;
}

function findNode({ nodes = [] }: SceneJson, name: string): number {
  const index = nodes.findLastIndex((node) => node.name === name);
  if (index >= 0) return index;
  const known = nodes.map((node) => node.name).filter(Boolean);
  throw new NsdfArgumentError(
    'meshNames',
    `the file has no node "${name}", but ${known.join(', ') || 'none with a name'}`,
  );
}

function rootsOf({ nodes = [] }: SceneJson): number[] {
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  return [...nodes.keys()].filter((index) => !children.has(index));
}
