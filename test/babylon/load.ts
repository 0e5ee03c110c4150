import { NullEngine } from '@babylonjs/core/Engines/nullEngine.js';
import { ImportMeshAsync, type ImportMeshOptions } from '@babylonjs/core/Loading/sceneLoader.js';
import '@babylonjs/core/Materials/standardMaterial.js';
import { Logger } from '@babylonjs/core/Misc/logger.js';
import { Scene } from '@babylonjs/core/scene.js';
import type { GLTFNSDFOptions, NSDFPluginOptions } from '../../src/babylon/index.ts';

// Its greetings and remarks on normals would drown the tests' own output.
Logger.LogLevels = Logger.ErrorLogLevel;

/** A scene that draws nothing, for Node. */
export function createScene(): Scene {
  return new Scene(new NullEngine());
}

/** Options of a load through the loader of `.nsdf` files. */
export function throughNsdf(options: NSDFPluginOptions): ImportMeshOptions {
  return { pluginExtension: '.nsdf', pluginOptions: { nsdf: options } };
}

/** Options of a load through Babylon's glTF loader. */
export function throughGltf(options: GLTFNSDFOptions): ImportMeshOptions {
  return {
    pluginExtension: '.glb',
    pluginOptions: { gltf: { extensionOptions: { NSDF_neural_field: options } } },
  };
}

/** Counts of everything that a load could leave in a scene. */
export function census(scene: Scene): Record<string, number> {
  const { meshes, materials, geometries, transformNodes, lights, cameras, animationGroups } = scene;
  // Made by the first PBR material for all those to come; it is the scene's.
  const textures = scene.textures.filter((texture) => texture !== scene.environmentBRDFTexture);
  const lists = { meshes, materials, textures, geometries, transformNodes, lights, cameras, animationGroups };
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length]));
}

/** What a load rejects with, out of Babylon's wrapper. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return (error as { innerError?: unknown }).innerError ?? error;
  }
  throw new Error('the load succeeded');
}

export const importInto = (scene: Scene, bytes: Uint8Array, options: ImportMeshOptions) =>
  ImportMeshAsync(bytes, scene, options);
