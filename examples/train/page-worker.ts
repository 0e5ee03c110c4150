import type { FieldAsset } from '../../src/format/asset.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { collectBuffers } from '../../src/pipeline/buffers.ts';
import { TriangleTree } from '../../src/surface/triangle-tree.ts';
import type { Triangles } from '../../src/train/index.ts';
import { type NamedBytes, readMesh } from './read-mesh.ts';
import { SAMPLES } from './samples.ts';

/** What the page has done beside its own thread: names, arguments, answers. */
export interface PageCalls {
  /** Reads a dropped mesh; it is then what distances are measured from. */
  read: { argument: readonly NamedBytes[]; answer: Triangles };
  sample: { argument: string; answer: Triangles };
  /** Measures distances from a mesh that the page has already. */
  take: { argument: Triangles; answer: Triangles };
  /** Distances of points, xyz per point, from the mesh. */
  distances: { argument: Float32Array; answer: Distances };
  pack: { argument: FieldAsset; answer: Uint8Array<ArrayBuffer> };
}

export interface Distances {
  /** f32[n] */
  readonly each: Float32Array;
  readonly mean: number;
  readonly max: number;
}

export type PageCall = keyof PageCalls;
export type ToPageWorker = { readonly id: number; readonly name: PageCall; readonly argument: never };
export type FromPageWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: { readonly name: string; readonly message: string } };

let tree: TriangleTree | undefined;
let mesh: Triangles | undefined;

const CALLS: {
  readonly [N in PageCall]: (
    argument: PageCalls[N]['argument'],
  ) => PageCalls[N]['answer'] | Promise<PageCalls[N]['answer']>;
} = {
  read: async (files) => keep(await readMesh(files)),
  sample: (name) => keep(SAMPLES[name]()),
  take: keep,
  distances: (points) => {
    // Made when it is first needed: the page waits for the mesh, and not for the tree.
    tree ??= new TriangleTree(mesh as Triangles);
    const each = new Float32Array(points.length / 3);
    let [sum, max] = [0, 0];
    for (let i = 0; i < each.length; i++) {
      each[i] = tree.closest(points[i * 3], points[i * 3 + 1], points[i * 3 + 2]);
      sum += each[i];
      max = Math.max(max, each[i]);
    }
    return { each, mean: each.length > 0 ? sum / each.length : 0, max };
  },
  pack: (asset) => writeNsdf(asset, { dtype: 'f16' }) as Uint8Array<ArrayBuffer>,
};

/** The page gets a copy. */
function keep(triangles: Triangles): Triangles {
  mesh = triangles;
  tree = undefined;
  return { positions: triangles.positions.slice(), indices: triangles.indices.slice() };
}

const scope = globalThis as unknown as {
  postMessage(message: FromPageWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToPageWorker }) => void): void;
};
scope.addEventListener('message', async ({ data: { id, name, argument } }) => {
  try {
    const answer = await CALLS[name](argument);
    scope.postMessage({ id, answer }, [...collectBuffers(answer)]);
  } catch (error) {
    const { name: kind, message } = error as Error;
    scope.postMessage({ id, failure: { name: kind, message } }, []);
  }
});
