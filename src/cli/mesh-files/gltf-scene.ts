import { NsdfFormatError, NsdfUnsupportedError } from '../../errors.ts';
import type { Vec3 } from '../../format/asset.ts';
import { EXTENSION_NAME } from '../../format/extension.ts';
import { type GlbChunks, parseGlb } from '../../format/glb.ts';
import { MAX_NODE_DEPTH, readLinks, readPlace, readRoots } from '../../format/gltf-nodes.ts';
import { IssueList } from '../../format/issues.ts';
import { JsonObject } from '../../format/json-object.ts';
import { IDENTITY_MATRIX, matrixOf, multiply } from '../../format/scene.ts';
import type { Triangles } from '../../surface/triangle-tree.ts';
import type { ColoredTriangles, SurfaceColors } from '../../train/index.ts';
import { GltfAccessors } from './gltf-accessors.ts';
import { DRACO_EXTENSION, decodeDracoMesh, type GltfCodecs, loadGltfCodecs } from './gltf-codecs.ts';
import { GltfColors } from './gltf-colors.ts';

/** Extensions that a file may require and that change no triangle, or that are read here. */
const KNOWN_EXTENSIONS =
  /^(KHR_(materials_|texture_|lights_|animation_|xmp|mesh_quantization$|meshopt_compression$|draco_mesh_compression$)|EXT_(texture_|meshopt_compression$|mesh_gpu_instancing$))/;
const INSTANCING = 'EXT_mesh_gpu_instancing';
/** Triangles that the nodes of one file may place: a mesh may be placed any number of times. */
const MAX_TRIANGLES = 2 ** 25;

const [TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN] = [4, 5, 6];

/** A primitive's triangles, in its mesh's space. */
interface Part {
  readonly positions: Float64Array;
  readonly indices: Uint32Array;
  readonly colors?: SurfaceColors | undefined;
  /** f64[nVertices * 4], joints and their weights; null for what no skin moves. */
  readonly skin: { readonly joints: Float64Array; readonly weights: Float64Array } | null;
}

/**
 * The triangles of a glTF's scene, where its nodes put them: one mesh for each primitive that a node shows, in the scene's
 * space. Triangles, strips and fans, indexed or not; instances; skins and morph targets as the nodes stand; compressed by meshopt or Draco
 * where their decoders are installed. Mirrored parts are turned, so that they face outwards still.
 * @param buffers those beside the file, by URI.
 * @param images those beside the file, by URI; without them colours are left out.
 * @throws {NsdfFormatError} if the file is broken, or shows no triangle.
 * @throws {NsdfUnsupportedError} if it requires an extension that is not known here, or a decoder that is not installed.
 */
export async function readGltfScene(
  file: Uint8Array,
  buffers: ReadonlyMap<string, Uint8Array>,
  images?: ReadonlyMap<string, Uint8Array>,
): Promise<ColoredTriangles[]> {
  const issues = new IssueList();
  const glb = parseGlb(file, issues);
  const root = glb && JsonObject.of(glb.json, '', issues);
  issues.throwFirstError();
  if (glb === null || root === null) return [];
  const { extensionsUsed = [] } = root.value;
  const codecs = await loadGltfCodecs(Array.isArray(extensionsUsed) ? extensionsUsed : []);
  const meshes = new SceneReader(root, buffersOf(root, glb, buffers), codecs, images).read();
  if (meshes.length > 0) return meshes;
  const hasField = Array.isArray(extensionsUsed) && extensionsUsed.includes(EXTENSION_NAME);
  const advice = hasField ? 'a neural field, not a mesh: `nsdf mesh` derives one from it' : 'expected a mesh';
  throw new NsdfFormatError(`the scene shows no triangles: ${advice}`, { field: '/scenes' });
}

function buffersOf(
  root: JsonObject,
  { bin }: GlbChunks,
  byUri: ReadonlyMap<string, Uint8Array>,
): (Uint8Array | null)[] {
  return root.optionalObjects('buffers').map((buffer, i) => {
    const uri = buffer?.has('uri') ? buffer.text('uri') : null;
    if (uri !== null) return byUri.get(uri) ?? null;
    return i === 0 ? bin : null; // others without bytes stand in for what a decoder makes
  });
}

class SceneReader {
  readonly #root: JsonObject;
  readonly #accessors: GltfAccessors;
  readonly #codecs: GltfCodecs;
  /** Null where colours are not wanted. */
  readonly #colors: GltfColors | null;
  readonly #nodes: readonly (JsonObject | null)[];
  readonly #meshes: readonly (JsonObject | null)[];
  readonly #parts = new Map<JsonObject, Part | null>();
  /** Of every node of the scene. */
  readonly #worlds = new Map<number, readonly number[]>();
  #nTriangles = 0;

  constructor(
    root: JsonObject,
    buffers: readonly (Uint8Array | null)[],
    codecs: GltfCodecs,
    images?: ReadonlyMap<string, Uint8Array>,
  ) {
    this.#root = root;
    this.#codecs = codecs;
    this.#accessors = new GltfAccessors(root, buffers, codecs);
    this.#colors = images ? new GltfColors(root, this.#accessors, images) : null;
    this.#nodes = root.optionalObjects('nodes');
    this.#meshes = root.optionalObjects('meshes');
  }

  read(): ColoredTriangles[] {
    this.#checkExtensions();
    const links = readLinks(this.#root, this.#nodes);
    const { roots } = readRoots(this.#root, links);
    this.#root.issues.throwFirstError();
    const order: number[] = [];
    const visit = (index: number, parent: readonly number[], depth: number): void => {
      const node = this.#nodes[index];
      if (!node) return;
      if (depth > MAX_NODE_DEPTH) {
        throw new NsdfUnsupportedError('node depth', `nodes more than ${MAX_NODE_DEPTH} deep`);
      }
      const world = multiply(parent, matrixOf(readPlace(node)));
      this.#worlds.set(index, world);
      order.push(index);
      for (const child of links.children[index]) visit(child, world, depth + 1);
    };
    for (const index of roots) visit(index, IDENTITY_MATRIX, 0);
    this.#root.issues.throwFirstError();
    if (this.#nodes.length === 0) {
      return this.#meshes.flatMap((mesh) => (mesh ? this.#place(mesh, mesh, [IDENTITY_MATRIX], null) : []));
    }
    return order.flatMap((index) => this.#readNode(index));
  }

  #checkExtensions(): void {
    const { extensionsRequired: required = [] } = this.#root.value;
    for (const name of Array.isArray(required) ? required : []) {
      if (KNOWN_EXTENSIONS.test(String(name)) || name === EXTENSION_NAME) continue;
      const shown = String(name).slice(0, 60);
      throw new NsdfUnsupportedError(shown, `the file requires ${shown}, which this reader does not know`);
    }
  }

  #readNode(index: number): ColoredTriangles[] {
    const node = this.#nodes[index] as JsonObject;
    if (!node.has('mesh')) return [];
    const number = this.#must(node.index('mesh'));
    const mesh = this.#meshes[number];
    if (!mesh) return this.#fail(`there is no mesh ${number}`, node);
    const world = this.#worlds.get(index) as readonly number[];
    const joints = node.has('skin') ? this.#jointsOf(node) : null;
    return this.#place(mesh, node, this.#instances(node, world), joints);
  }

  /** One matrix for each instance of a node's mesh. */
  #instances(node: JsonObject, world: readonly number[]): readonly (readonly number[])[] {
    const extensions = node.optionalObject('extensions');
    const attributes = extensions?.optionalObject(INSTANCING)?.optionalObject('attributes') ?? null;
    if (attributes === null) return [world];
    const column = (key: string, type: string): Float64Array | null =>
      attributes.has(key) ? this.#accessors.read(attributes, key, type) : null;
    const [t, r, s] = [
      column('TRANSLATION', 'VEC3'),
      column('ROTATION', 'VEC4'),
      column('SCALE', 'VEC3'),
    ] as const;
    const n = Math.min(
      ...[t && t.length / 3, r && r.length / 4, s && s.length / 3].filter((x) => x !== null),
    );
    if (!Number.isFinite(n)) return [world];
    return Array.from({ length: n }, (_, i) => {
      const three = (values: Float64Array | null, rest: number): Vec3 =>
        values === null ? [rest, rest, rest] : [values[i * 3], values[i * 3 + 1], values[i * 3 + 2]];
      const rotation: [number, number, number, number] =
        r === null ? [0, 0, 0, 1] : [r[i * 4], r[i * 4 + 1], r[i * 4 + 2], r[i * 4 + 3]];
      const place = { matrix: null, translation: three(t, 0), rotation, scale: three(s, 1) };
      return multiply(world, matrixOf(place));
    });
  }

  /** What each joint of a node's skin does to a vertex. */
  #jointsOf(node: JsonObject): readonly (readonly number[])[] {
    const number = this.#must(node.index('skin'));
    const skin = this.#root.optionalObjects('skins')[number];
    if (!skin) return this.#fail(`there is no skin ${number}`, node);
    const joints = this.#must(skin.numbers('joints', { min: 1, max: 2 ** 16 }));
    const inverse = skin.has('inverseBindMatrices')
      ? this.#accessors.read(skin, 'inverseBindMatrices', 'MAT4')
      : null;
    if (inverse !== null && inverse.length < joints.length * 16) {
      return this.#fail(`${inverse.length / 16} inverse bind matrices for ${joints.length} joints`, skin);
    }
    return joints.map((joint, j) => {
      const world = this.#worlds.get(joint);
      if (world === undefined) return this.#fail(`its joint ${joint} is no node of the scene`, skin);
      return inverse === null ? world : multiply(world, [...inverse.subarray(j * 16, j * 16 + 16)]);
    });
  }

  /** A mesh at each of some places; a skin's joints stand in for those. */
  #place(
    mesh: JsonObject,
    node: JsonObject,
    places: readonly (readonly number[])[],
    joints: readonly (readonly number[])[] | null,
  ): ColoredTriangles[] {
    const primitives = this.#must(mesh.objects('primitives'));
    return primitives.flatMap((primitive) => {
      const part = primitive && this.#part(primitive);
      if (!primitive || !part || part.indices.length === 0) return [];
      this.#nTriangles += (part.indices.length / 3) * places.length;
      if (this.#nTriangles > MAX_TRIANGLES) {
        throw new NsdfUnsupportedError('triangles', `the scene shows more than ${MAX_TRIANGLES} triangles`);
      }
      const positions = this.#morph(primitive, node.has('weights') ? node : mesh, part.positions);
      const { skin, indices, colors } = part;
      const dressed = (mesh: Triangles): ColoredTriangles => ({ ...mesh, ...(colors && { colors }) });
      if (joints !== null && skin !== null) {
        return [dressed(this.#skinned(primitive, positions, indices, skin, joints))];
      }
      return places.map((matrix) => dressed(placed(positions, indices, matrix)));
    });
  }

  #part(primitive: JsonObject): Part | null {
    const known = this.#parts.get(primitive);
    if (known !== undefined) return known;
    const part = this.#readPart(primitive);
    this.#parts.set(primitive, part);
    return part;
  }

  /** Null for points and lines, and for a field without a mesh of its own. */
  #readPart(primitive: JsonObject): Part | null {
    const mode = this.#must(primitive.integer('mode', TRIANGLES));
    if (mode !== TRIANGLES && mode !== TRIANGLE_STRIP && mode !== TRIANGLE_FAN) return null;
    const attributes = this.#must(primitive.object('attributes'));
    if (!attributes.has('POSITION')) return null;
    const packed = this.#dracoPart(primitive);
    if (packed !== null) {
      this.#colors?.refuse(primitive, 'compressed by Draco');
      return { ...packed, skin: null };
    }
    if (this.#isBoundsOnly(attributes)) return null;
    const positions = this.#accessors.read(attributes, 'POSITION', 'VEC3');
    const nVertices = positions.length / 3;
    const listed = primitive.has('indices')
      ? Uint32Array.from(this.#accessors.read(primitive, 'indices', 'SCALAR'))
      : Uint32Array.from({ length: nVertices }, (_, v) => v);
    const wrong = listed.find((v) => v >= nVertices);
    if (wrong !== undefined) return this.#fail(`there is no vertex ${wrong} of ${nVertices}`, primitive);
    const skin =
      attributes.has('JOINTS_0') && attributes.has('WEIGHTS_0')
        ? {
            joints: this.#accessors.read(attributes, 'JOINTS_0', 'VEC4'),
            weights: this.#accessors.read(attributes, 'WEIGHTS_0', 'VEC4'),
          }
        : null;
    const colors = this.#colors?.read(primitive, nVertices);
    return { positions, indices: trianglesOf(mode, listed), colors, skin };
  }

  /** A field's POSITION has bounds and no bytes. */
  #isBoundsOnly(attributes: JsonObject): boolean {
    const accessor = this.#root.optionalObjects('accessors')[this.#must(attributes.index('POSITION'))];
    return accessor != null && !accessor.has('bufferView') && !accessor.has('sparse');
  }

  #dracoPart(primitive: JsonObject): Pick<Part, 'positions' | 'indices'> | null {
    const packed = primitive.optionalObject('extensions')?.optionalObject(DRACO_EXTENSION) ?? null;
    if (packed === null || this.#codecs.draco === null) return null;
    const id = this.#must(packed.object('attributes')?.index('POSITION') ?? null);
    const bytes = this.#accessors.view(packed, 'bufferView');
    return decodeDracoMesh(this.#codecs.draco, bytes, id, packed.path);
  }

  /** Positions with the morph targets that the file has at work. */
  #morph(primitive: JsonObject, owner: JsonObject, positions: Float64Array): Float64Array {
    const weights = owner.has('weights') ? owner.numbers('weights', { min: 0, max: 2 ** 16 }) : null;
    const targets = primitive.optionalObjects('targets');
    const moved = weights?.some((weight) => weight !== 0) ? positions.slice() : positions;
    targets.forEach((target, t) => {
      const weight = weights?.[t] ?? 0;
      if (weight === 0 || !target?.has('POSITION')) return;
      const shift = this.#accessors.read(target, 'POSITION', 'VEC3');
      for (let i = 0; i < moved.length; i++) moved[i] += weight * (shift[i] ?? 0);
    });
    return moved;
  }

  #skinned(
    primitive: JsonObject,
    positions: Float64Array,
    indices: Uint32Array,
    { joints, weights }: NonNullable<Part['skin']>,
    matrices: readonly (readonly number[])[],
  ): Triangles {
    const moved = new Float64Array(positions.length);
    for (let v = 0; v * 3 < positions.length; v++) {
      let total = 0;
      for (let j = 0; j < 4; j++) total += weights[v * 4 + j] ?? 0;
      for (let j = 0; j < 4; j++) {
        const weight = total > 0 ? (weights[v * 4 + j] ?? 0) / total : Number(j === 0);
        if (weight === 0) continue;
        const m = matrices[joints[v * 4 + j]];
        if (m === undefined) return this.#fail(`there is no joint ${joints[v * 4 + j]}`, primitive);
        for (let k = 0; k < 3; k++) moved[v * 3 + k] += weight * transformed(positions, v * 3, m, k);
      }
    }
    return { positions: moved, indices };
  }

  #must<T>(value: T | null): T {
    this.#root.issues.throwFirstError();
    return value as T;
  }

  #fail(message: string, json: JsonObject): never {
    throw new NsdfFormatError(`${message} (at ${json.path})`, { field: json.path });
  }
}

/** glTF 2.0, 3.7.2.1: every second triangle of a strip runs the other way. */
function trianglesOf(mode: number, v: Uint32Array): Uint32Array {
  if (mode === TRIANGLES) return v.subarray(0, v.length - (v.length % 3));
  const n = Math.max(0, v.length - 2);
  return Uint32Array.from({ length: n * 3 }, (_, i) => {
    const [t, k] = [Math.floor(i / 3), i % 3];
    if (mode === TRIANGLE_FAN) return v[k === 2 ? 0 : t + 1 + k];
    return v[t + (k === 0 ? 0 : t % 2 === 0 ? k : 3 - k)];
  });
}

function transformed(p: Float64Array, i: number, m: readonly number[], row: number): number {
  return m[row] * p[i] + m[4 + row] * p[i + 1] + m[8 + row] * p[i + 2] + m[12 + row];
}

function placed(positions: Float64Array, indices: Uint32Array, m: readonly number[]): Triangles {
  const moved = new Float64Array(positions.length);
  for (let i = 0; i < moved.length; i++) moved[i] = transformed(positions, i - (i % 3), m, i % 3);
  const determinant =
    m[0] * (m[5] * m[10] - m[6] * m[9]) -
    m[4] * (m[1] * m[10] - m[2] * m[9]) +
    m[8] * (m[1] * m[6] - m[2] * m[5]);
  const facing = determinant < 0 ? indices.map((_, i) => indices[i - (i % 3) + 2 - (i % 3)]) : indices;
  return { positions: moved, indices: facing };
}
