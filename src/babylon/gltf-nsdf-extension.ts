import { VertexBuffer } from '@babylonjs/core/Buffers/buffer.js';
import { Geometry } from '@babylonjs/core/Meshes/geometry.js';
import type { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import type { Scene } from '@babylonjs/core/scene.js';
import type { GLTFLoader } from '@babylonjs/loaders/glTF/2.0/glTFLoader.js';
import type { IGLTFLoaderExtension } from '@babylonjs/loaders/glTF/2.0/glTFLoaderExtension.js';
import type { IMeshPrimitive, INode } from '@babylonjs/loaders/glTF/2.0/glTFLoaderInterfaces.js';
import type { Box3, DeriveProgress, FieldAsset, Vec3 } from '../index.ts';
import { EXTENSION_NAME, originOf } from '../index.ts';
import { type LinkedController, linkedController } from '../plugin/abort.ts';
import { isForeignOrigin } from '../plugin/fetch-bytes.ts';
import { DEFAULT_LOOK } from '../plugin/geometry.ts';
import type { GltfJson } from '../plugin/gltf-fields.ts';
import {
  carriesField,
  countFields,
  FileProgress,
  hasFallback,
  isColored,
  readGltfField,
} from '../plugin/gltf-fields.ts';
import { type DeriveSettings, loadOptionsOf, refuseUnknownSettings } from '../plugin/settings.ts';
import { fetchForeign } from './download.ts';
import { deriveSurface, type OutputSettings } from './geometry.ts';
import { GeometryField } from './geometry-field.ts';
import type { GLTFNSDFOptions, NSDFLodOptions } from './options.ts';
import { abortWith } from './scene.ts';

/** Babylon's own way to a primitive's vertices, private in its types: what the fallback mesh is read with. */
interface VertexDataLoader {
  _loadVertexDataAsync(context: string, primitive: IMeshPrimitive, mesh: Mesh): Promise<Geometry>;
}

/** What `metadata.nsdf` holds on a mesh that stands in for a field. */
export interface NSDFFallbackNote {
  readonly isFallback: true;
  readonly error: string;
}

/**
 * Teaches Babylon's glTF loader the `NSDF_neural_field` extension: a primitive that carries a field gets the derived
 * surface as its geometry. Nodes, names, materials, instances and animations are Babylon's, here as everywhere.
 */
export class GLTFNSDFExtension implements IGLTFLoaderExtension {
  readonly name = EXTENSION_NAME;
  enabled: boolean;
  private readonly _loader: GLTFLoader;
  private readonly _json: GltfJson;
  private readonly _options: GLTFNSDFOptions;
  /** Ends all derivations of the file: the caller's signal does, and so does the loader's or the scene's end. */
  private readonly _job: LinkedController;
  private readonly _forgetScene: () => void;
  private readonly _progress: FileProgress;
  /** One geometry a primitive, however many nodes show it. */
  private readonly _geometries = new Map<IMeshPrimitive, Promise<Geometry>>();
  /** Primitives that Babylon is to load as ordinary ones, and why. */
  private readonly _fallbacks = new Map<IMeshPrimitive, NSDFFallbackNote>();

  constructor(loader: GLTFLoader) {
    this._loader = loader;
    this._json = loader.gltf as GltfJson;
    this._options = loader.parent.extensionOptions[EXTENSION_NAME] ?? {};
    refuseUnknownSettings(EXTENSION_NAME, this._options, { fallback: true, enabled: true, fields: true });
    this._job = linkedController([this._options.signal]);
    this._forgetScene = abortWith(loader.babylonScene, this._job.controller);
    this._progress = new FileProgress(countFields(this._json), this._options.onProgress);
    this.enabled = loader.isExtensionUsed(EXTENSION_NAME);
  }

  /** Called by the loader at its end, and when it is disposed before: running derivations stop. */
  dispose(): void {
    this._job.controller.abort(new DOMException('the glTF loader was disposed', 'AbortError'));
    this._job.release();
    this._forgetScene();
  }

  /** Called by the loader before it builds anything: far fields get nodes, fields whose file names no material ours. */
  onLoading(): void {
    const { gltf } = this._loader;
    placeFarFields(gltf);
    const bare = (gltf.meshes ?? [])
      .flatMap(({ primitives }) => primitives)
      .filter((primitive) => carriesField(primitive) && primitive.material === undefined);
    this._dress(
      bare.filter((primitive) => !isColored(primitive)),
      DEFAULT_LOOK.baseColor,
    );
    // The field's own colours are multiplied with the material's.
    this._dress(bare.filter(isColored), [1, 1, 1]);
  }

  private _dress(primitives: IMeshPrimitive[], baseColor: readonly number[]): void {
    if (primitives.length === 0) return;
    const { gltf } = this._loader;
    gltf.materials ??= [];
    const index = gltf.materials.length;
    const { name, roughness, metalness } = DEFAULT_LOOK;
    const factors = {
      baseColorFactor: [...baseColor, 1],
      roughnessFactor: roughness,
      metallicFactor: metalness,
    };
    gltf.materials.push({ index, name, pbrMetallicRoughness: factors });
    for (const primitive of primitives) primitive.material = index;
  }

  /** Called by the loader for every primitive; null leaves it to others. */
  _loadVertexDataAsync(context: string, primitive: IMeshPrimitive, mesh: Mesh): Promise<Geometry> | null {
    if (!carriesField(primitive) || this._fallbacks.has(primitive)) return null;
    let geometry = this._geometries.get(primitive);
    if (!geometry) {
      geometry = this._derive(primitive, mesh).catch((error: unknown) =>
        this._fallBack(context, primitive, mesh, error),
      );
      this._geometries.set(primitive, geometry);
    }
    return geometry.then((shown) => {
      const note = this._fallbacks.get(primitive);
      if (note) mesh.metadata = { ...mesh.metadata, nsdf: note };
      // As Babylon's own loader has it.
      if (shown.getVertexBuffer(VertexBuffer.ColorKind)?.getSize() === 4) mesh.hasVertexAlpha = true;
      return shown;
    });
  }

  /** Called by the loader for every buffer and image that has an address: other origins than the file's are ours. */
  _loadUriAsync(_context: string, _property: unknown, uri: string): Promise<ArrayBufferView> | null {
    const { rootUrl, parent } = this._loader;
    const root = rootUrl ?? '';
    if (!isForeignOrigin(root + uri, root)) return null;
    const { signal } = this._job.controller;
    return parent.preprocessUrlAsync(root + uri, root).then((url) => fetchForeign(url, signal));
  }

  private async _derive(primitive: IMeshPrimitive, mesh: Mesh): Promise<Geometry> {
    const scene = this._loader.babylonScene;
    const { signal } = this._job.controller;
    signal.throwIfAborted();
    const place = this._placeOf(primitive);
    const { fallback: _fallback, onProgress: _onProgress, signal: _signal, ...options } = this._options;
    const { lod, fields, ...settings } = options;
    const asset = await readGltfField(this._json, place, (index) => this._loadBufferView(index), {
      fields,
      ...loadOptionsOf(settings, signal),
    });
    return loadGeometry(scene, {
      name: mesh.name,
      asset,
      settings,
      lod: lod === true ? {} : (lod ?? false),
      signal,
      onProgress: this._progress.of(`${place.meshIndex}/${place.primitiveIndex}`, asset.name),
    });
  }

  /** Has Babylon load the coarse mesh of the file; an abort, or a file without one, stays an error. */
  private async _fallBack(
    context: string,
    primitive: IMeshPrimitive,
    mesh: Mesh,
    error: unknown,
  ): Promise<Geometry> {
    this._job.controller.signal.throwIfAborted();
    if (this._options.fallback === false || !hasFallback(this._json, primitive)) throw error;
    this._fallbacks.set(primitive, { isFallback: true, error: (error as Error).message });
    const loader = this._loader as unknown as VertexDataLoader;
    return loader._loadVertexDataAsync(context, primitive, mesh);
  }

  private async _loadBufferView(index: number): Promise<Uint8Array> {
    const view = this._loader.gltf.bufferViews?.[index];
    if (!view) throw new Error(`there is no bufferView ${index}`);
    const { buffer, byteOffset, byteLength } = await this._loader.loadBufferViewAsync(
      `/bufferViews/${index}`,
      view,
    );
    return new Uint8Array(buffer, byteOffset, byteLength);
  }

  private _placeOf(primitive: IMeshPrimitive): { meshIndex: number; primitiveIndex: number } {
    const meshes = this._loader.gltf.meshes ?? [];
    const meshIndex = meshes.findIndex(({ primitives }) => primitives.includes(primitive));
    return { meshIndex, primitiveIndex: meshes[meshIndex].primitives.indexOf(primitive) };
  }
}

/** How the geometry of a field is to be made. */
export interface GeometryRequest {
  readonly name: string;
  readonly asset: FieldAsset;
  readonly settings: DeriveSettings & OutputSettings;
  /** False for one level alone. */
  readonly lod: NSDFLodOptions | false;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: DeriveProgress) => void) | undefined;
}

/**
 * Makes the geometry of a field, bound to it: of the one level that is asked for, or of the first of many.
 * @throws what `deriveMesh` throws; the signal's reason.
 */
async function loadGeometry(scene: Scene, request: GeometryRequest): Promise<Geometry> {
  if (!request.lod) return loadSingle(scene, request);
  const { loadFirstLevel } = await import('./load-first-level.ts');
  return loadFirstLevel(scene, request, request.lod);
}

async function loadSingle(
  scene: Scene,
  { name, asset, settings, signal, onProgress }: GeometryRequest,
): Promise<Geometry> {
  const options = { ...settings, signal, ...(onProgress && { onProgress }) };
  const derived = await deriveSurface(asset, options, scene.getEngine());
  if (signal.aborted) derived.discard();
  signal.throwIfAborted();
  const geometry = new Geometry(name, scene);
  derived.fill(geometry);
  new GeometryField(scene, asset, settings).bind(geometry, derived);
  return geometry;
}

/** The parts of Babylon's view of a file that change. */
interface Gltf {
  readonly nodes?: INode[];
  readonly meshes?: { index: number; name?: string; primitives: unknown[] }[];
}

type Primitive = {
  readonly extensions?: Readonly<Record<string, { domain?: Box3; region?: Box3 } | undefined>>;
};

/**
 * Gives every field whose mesh is relative to an origin (`originOf`) a node of its own below its node, moved there: what is
 * drawn then lies where the field does, whatever the node's transform, and the node's children and animations know nothing
 * of it. Called before Babylon builds anything of the file.
 */
export function placeFarFields({ nodes = [], meshes = [] }: Gltf): void {
  const moved = new Map<number, { mesh: number; origin: Vec3 }[]>();
  for (const mesh of meshes.slice()) {
    const far = mesh.primitives.flatMap((primitive) => {
      const origin = originOfPrimitive(primitive as Primitive);
      return origin ? [{ primitive, origin }] : [];
    });
    if (far.length === 0) continue;
    mesh.primitives = mesh.primitives.filter((primitive) =>
      far.every((part) => part.primitive !== primitive),
    );
    const parts = far.map(({ primitive, origin }) => {
      const index = meshes.length;
      meshes.push({ index, ...(mesh.name && { name: mesh.name }), primitives: [primitive] });
      return { mesh: index, origin };
    });
    moved.set(mesh.index, parts);
  }
  for (const node of nodes.slice()) {
    const parts = node.mesh === undefined ? undefined : moved.get(node.mesh);
    if (parts === undefined) continue;
    if (meshes[node.mesh as number].primitives.length === 0) delete node.mesh;
    for (const { mesh, origin } of parts) {
      const index = nodes.length;
      const name = node.name === undefined ? {} : { name: node.name };
      nodes.push({ index, parent: node, mesh, translation: [...origin], ...name });
      node.children = [...(node.children ?? []), index];
    }
  }
}

/** Undefined too where the box is none: whoever decodes the field says so. */
function originOfPrimitive({ extensions }: Primitive): Vec3 | undefined {
  const { domain, region } = extensions?.[EXTENSION_NAME] ?? {};
  if (!isBox(domain)) return undefined;
  return originOf({ domain, ...(isBox(region) && { region }) });
}

function isBox(box: Box3 | undefined): box is Box3 {
  return [box?.min, box?.max].every((point) => point?.length === 3 && point.every(Number.isFinite));
}
