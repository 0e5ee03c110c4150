import type { SceneLoaderPluginOptions } from '@babylonjs/core/Loading/sceneLoader.js';
import type { TransformNode } from '@babylonjs/core/Meshes/transformNode.js';
import type { MeshFields } from '../index.ts';
import type { Level } from '../lod/index.ts';
import type { DeriveSettings, LodSettings, NSDFProgress } from '../plugin/settings.ts';

/** What one load adds to how its meshes are derived. */
interface NSDFCallOptions {
  /** Ends download and derivation; the scene stays as it was. */
  readonly signal?: AbortSignal;
  /** Reports download and derivation; Babylon's own `onProgress` sees the download alone. */
  readonly onProgress?: (progress: NSDFProgress) => void;
  /**
   * Levels of detail: the load ends with a first picture, finer and coarser levels follow as they are needed on screen.
   * The last one is what tolerance, resolution or exact ask for. Default: false, that one level alone.
   */
  readonly lod?: boolean | NSDFLodOptions;
  /** `gpu`: the surface stays on a WebGPUEngine's device alone. See `FieldSettings.output`. Default: `cpu`. */
  readonly output?: 'cpu' | 'gpu';
}

/** Settings of the glTF extension; every member of an interface, but a type, as Babylon's index signatures ask. */
export type GLTFNSDFOptions = {
  [Option in keyof (DeriveSettings & NSDFCallOptions)]: (DeriveSettings & NSDFCallOptions)[Option];
} & {
  /** Show the file's coarse fallback mesh where a derivation fails, and say so in `metadata.nsdf`. Default: true. */
  readonly fallback?: boolean;
  /** The file's fields, where they are decoded already. @internal */
  readonly fields?: MeshFields;
};

/** Settings of one load of a `.nsdf` file: `pluginOptions: { nsdf: { tolerance: 1e-3 } }`. */
export type NSDFPluginOptions = {
  [Option in keyof (DeriveSettings & NSDFCallOptions)]: (DeriveSettings & NSDFCallOptions)[Option];
} & {
  /**
   * Called once with a rough picture of the file while it arrives over the network: a root in the scene, whose meshes get
   * better. It goes as soon as the load is over.
   */
  readonly onPreview?: (root: TransformNode) => void;
  /** Options of Babylon's glTF loader, which builds everything around the fields. */
  readonly gltf?: NonNullable<SceneLoaderPluginOptions['gltf']>;
};

declare module '@babylonjs/core/Loading/sceneLoader.js' {
  interface SceneLoaderPluginOptions {
    /** Options of the loader of neural fields (nsdf-loader). */
    nsdf: NSDFPluginOptions;
  }
}

declare module '@babylonjs/loaders/glTF/glTFFileLoader.js' {
  interface GLTFLoaderExtensionOptions {
    /** Options of the extension for neural fields (nsdf-loader). */
    NSDF_neural_field: GLTFNSDFOptions;
  }
}

/** A level of detail came, went or failed. */
export interface NSDFLevelEvent {
  readonly level: Level<unknown>;
  readonly what: 'ready' | 'evicted' | 'failed';
  /** Why it failed. */
  readonly error?: unknown;
}

/** Levels of detail of a field: what they are, which are wanted, who makes them. Babylon changes over at once. */
export interface NSDFLodOptions extends Omit<LodSettings, 'fadeMs' | 'viewportHeight'> {
  /** Called between frames; an application that draws on demand draws again. */
  readonly onLevel?: (event: NSDFLevelEvent) => void;
}
