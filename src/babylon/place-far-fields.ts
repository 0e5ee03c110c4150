import type { INode } from '@babylonjs/loaders/glTF/2.0/glTFLoaderInterfaces.js';
import { type Box3, EXTENSION_NAME, originOf, type Vec3 } from '../index.ts';

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
