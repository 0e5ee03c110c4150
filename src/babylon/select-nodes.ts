import type { IGLTFLoaderData } from '@babylonjs/loaders/glTF/glTFFileLoader.js';
import { NsdfArgumentError } from '../index.ts';

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
export function selectNodes(data: IGLTFLoaderData, names: readonly string[] | null): IGLTFLoaderData {
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
