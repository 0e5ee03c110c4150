import { type Group, type Loader, type Material, Mesh, type Object3D } from 'three';
import type { GLTFLoaderPlugin, GLTFParser } from 'three/addons/loaders/GLTFLoader.js';
import { EXTENSION_NAME, type MeshFields } from '../index.ts';
import { type LinkedController, linkedController } from '../plugin/abort.ts';
import { isForeignOrigin } from '../plugin/fetch-bytes.ts';
import type { MeshDef, PrimitiveDef } from '../plugin/gltf-fields.ts';
import {
  carriesField,
  countFields,
  FileProgress,
  hasFallback,
  isColored,
  isInstanced,
  readGltfField,
} from '../plugin/gltf-fields.ts';
import type { FieldSettings, NSDFProgress } from '../plugin/settings.ts';
import { loadOptionsOf, lodOf, refuseUnknownSettings } from '../plugin/settings.ts';
import { deriveGeometry, type OutputSettings } from './geometry.ts';
import { NSDFObject } from './nsdf-object.ts';
import { createDefaultMaterial } from './shown-mesh.ts';

/** Settings of the glTF extension. */
export interface GLTFNSDFOptions extends FieldSettings, Pick<OutputSettings, 'renderer'> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: NSDFProgress) => void;
  /** Show the file's coarse fallback mesh where a derivation fails, and say so in `userData.nsdf`. Default: true. */
  readonly fallback?: boolean;
  /** The file's fields, where they are decoded already. @internal */
  readonly fields?: MeshFields;
}

/** What `userData.nsdf` holds on a mesh that stands in for a field. */
export interface NSDFFallbackNote {
  readonly isFallback: true;
  readonly error: string;
}

/**
 * Teaches three's own GLTFLoader the `NSDF_neural_field` extension: primitives that carry a field become
 * `NSDFObject`s with the derived surface; everything beside them is loaded by three as ever. Under
 * EXT_mesh_gpu_instancing the derived surface becomes the geometry of three's InstancedMesh.
 *
 * @example
 * const loader = new GLTFLoader();
 * loader.register((parser) => new GLTFNSDFExtension(parser, { tolerance: 1e-3 }));
 */
export class GLTFNSDFExtension implements GLTFLoaderPlugin {
  readonly name = EXTENSION_NAME;
  private readonly _parser: GLTFParser;
  private readonly _options: GLTFNSDFOptions;
  /** Ends all derivations of the file: the caller's signal does, and so does the first failure. */
  private readonly _job: LinkedController;
  private readonly _progress: FileProgress;

  /** @throws {NsdfArgumentError} if there is an option of a name that is none */
  constructor(parser: GLTFParser, options: GLTFNSDFOptions = {}) {
    refuseUnknownSettings('GLTFNSDFExtension', options, { renderer: true, fallback: true, fields: true });
    this._parser = parser;
    this._options = options;
    this._job = linkedController([options.signal]);
    this._progress = new FileProgress(countFields(parser.json), options.onProgress);
    guardOrigins(parser);
  }

  /** Called by GLTFLoader for every mesh; null leaves the mesh to it. */
  loadMesh(meshIndex: number): Promise<Group | Mesh> | null {
    return this._mesh(meshIndex).primitives.some(carriesField) ? this._loadMesh(meshIndex) : null;
  }

  /** Called by GLTFLoader when all is loaded. */
  afterRoot(): null {
    this._job.release();
    return null;
  }

  private async _loadMesh(meshIndex: number): Promise<Group | Mesh> {
    const { primitives } = this._mesh(meshIndex);
    const loaded = await this._loadOrdinary(meshIndex);
    const isSingle = primitives.length === 1;
    const shapes = isSingle ? [loaded] : [...loaded.children];
    const objects = await Promise.all(
      shapes.map((shape, index) =>
        carriesField(primitives[index]) ? this._replace(shape as Mesh, meshIndex, index) : shape,
      ),
    );
    // An NSDFObject is a LOD, which three takes wherever its types ask for a Mesh.
    if (isSingle) return objects[0] as Mesh;
    loaded.clear();
    return (loaded as Group).add(...objects);
  }

  /**
   * Has three load the mesh with the fields' primitives emptied: names, extras and ordinary primitives come out as
   * ever, and no fallback geometry is decoded in vain.
   */
  private _loadOrdinary(meshIndex: number): Promise<Group | Mesh> {
    const mesh = this._mesh(meshIndex);
    const primitives = mesh.primitives.map((primitive) =>
      carriesField(primitive) ? { attributes: {} } : primitive,
    );
    const meshes = [...this._parser.json.meshes];
    meshes[meshIndex] = { ...mesh, primitives };
    // A view of the parser: its caches are shared, its json stays as it is.
    const view: GLTFParser = Object.create(this._parser, {
      json: { value: { ...this._parser.json, meshes } },
    });
    return this._parser.loadMesh.call(view, meshIndex);
  }

  /** Puts the derived surface, or else the fallback mesh, in the place of the emptied primitive. */
  private async _replace(shape: Mesh, meshIndex: number, index: number): Promise<Object3D> {
    const primitive = this._mesh(meshIndex).primitives[index];
    const material = await this._material(primitive);
    try {
      return this._dress(await this._derive(meshIndex, index, material), shape);
    } catch (error) {
      this._job.controller.signal.throwIfAborted();
      if (this._options.fallback === false || !hasFallback(this._parser.json, primitive)) this._fail(error);
      const stand = this._dress(await this._loadFallback(primitive, material), shape);
      const note: NSDFFallbackNote = { isFallback: true, error: (error as Error).message };
      stand.userData.nsdf = note;
      return stand;
    }
  }

  private async _derive(meshIndex: number, index: number, material: Material): Promise<Object3D> {
    const place = { meshIndex, primitiveIndex: index };
    const asset = await readGltfField(
      this._parser.json,
      place,
      async (view) => new Uint8Array(await this._parser.getDependency('bufferView', view)),
      { fields: this._options.fields, ...loadOptionsOf(this._options, this._job.controller.signal) },
    );
    const { fallback: _fallback, onProgress: _onProgress, fields: _fields, ...settings } = this._options;
    const onProgress = this._progress.of(`${meshIndex}/${index}`, asset.name);
    const { signal } = this._job.controller;
    const isOne = isInstanced(this._parser.json, meshIndex);
    const control = { signal, ...(onProgress && { onProgress }) };
    if (lodOf(settings) && !isOne) {
      const leveled = await NSDFObject.withLevels(asset, { settings, material, ...control });
      if (leveled.mesh) this._finish(leveled.mesh);
      return leveled;
    }
    const derived = await deriveGeometry(asset, { ...settings, ...control });
    if (isOne) return this._finish(new Mesh(derived.geometry, material));
    const object = NSDFObject.of(asset, derived, material, settings);
    if (object.mesh) this._finish(object.mesh);
    return object;
  }

  /** One field that is an error makes the whole file one: the others stop. */
  private _fail(error: unknown): never {
    this._job.controller.abort(error);
    this._job.release();
    throw error;
  }

  private async _loadFallback(primitive: PrimitiveDef, material: Material): Promise<Object3D> {
    const [geometry] = await this._parser.loadGeometries([primitive]);
    return this._finish(new Mesh(geometry, material));
  }

  /** The file's material, or ours where it names none. */
  private async _material(primitive: PrimitiveDef): Promise<Material> {
    if (primitive.material === undefined) return createDefaultMaterial(isColored(primitive));
    return this._parser.getDependency('material', primitive.material);
  }

  /** Has three fit the material to the geometry. */
  private _finish(mesh: Mesh): Mesh {
    this._parser.assignFinalMaterial(mesh);
    return mesh;
  }

  /** Gives an object the name, extras and associations of what three had made in its place. */
  private _dress(object: Object3D, shape: Mesh): Object3D {
    const { associations } = this._parser;
    object.name = shape.name;
    object.userData = shape.userData;
    associations.set(object, associations.get(shape) ?? {});
    associations.delete(shape);
    return object;
  }

  private _mesh(meshIndex: number): MeshDef {
    return this._parser.json.meshes[meshIndex];
  }
}

/** What of a parser three's types leave out. */
interface ParserLoaders {
  readonly fileLoader: Loader;
  readonly textureLoader: Loader;
  readonly options: { readonly path: string };
}

/**
 * Has a parser ask other origins than its file's without the loader's headers and credentials: three sends them to
 * whatever address the buffers and images of a file name.
 */
function guardOrigins(parser: GLTFParser): void {
  const { fileLoader, textureLoader, options } = parser as unknown as ParserLoaders;
  for (const loader of [fileLoader, textureLoader]) if (loader) guard(loader, options?.path ?? '');
}

function guard(loader: Loader, fileUrl: string): void {
  const { load } = loader;
  const bare: Loader = Object.create(loader, {
    requestHeader: { value: {} },
    withCredentials: { value: false },
    crossOrigin: { value: 'anonymous' },
  });
  loader.load = (url, ...listeners) => {
    load.call(isForeignOrigin(url, fileUrl) ? bare : loader, url, ...listeners);
  };
}
