import {
  Box3,
  BufferAttribute,
  BufferGeometry,
  Color,
  Group,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  Vector3,
} from 'three';
import type { DeriveOptions, DeriveStats, FieldAsset } from '../../src/index.ts';
import { NSDFGroup, NSDFObject } from '../../src/three/index.ts';
import type { Triangles } from '../../src/train/index.ts';
import { Ground } from '../viewer/three/ground.ts';
import { createRenderer } from '../viewer/three/renderer.ts';
import { StudioView } from '../viewer/three/studio-view.ts';

/** What is to be seen: the field's surface, the mesh that it is trained on, or that as lines over it. */
export type Shown = 'result' | 'input' | 'both';

/** Colours of distances, small to large, evenly over the logarithm; the page's legend has the same. */
const HEAT = ['#3b4cc0', '#2ca6a4', '#8fd36b', '#f4c430', '#d7263d'].map((color) => new Color(color));
/** Ends of the scale, in sides of the mesh's box. */
export const HEAT_RANGE = [3e-5, 1e-2] as const;

/** The mesh and the surface that takes its place. */
export class TrainScene extends StudioView {
  readonly field = new NSDFObject();
  readonly #input = new Mesh<BufferGeometry, MeshStandardMaterial | MeshBasicMaterial>();
  readonly #solid = new MeshStandardMaterial({ color: 0x8d96a5, roughness: 0.85, flatShading: true });
  readonly #lines = new MeshBasicMaterial({
    color: 0x14181f,
    wireframe: true,
    transparent: true,
    opacity: 0.35,
  });
  readonly #heat = new MeshStandardMaterial({ vertexColors: true, roughness: 0.8 });
  readonly #ground = new Ground();
  #plain: Material | Material[] | undefined;
  #shown: Shown = 'result';
  #isHot = false;
  #side = 1;
  #box = new Box3();

  static async create(canvas: HTMLCanvasElement, wanted: string | null): Promise<TrainScene> {
    const view = await createRenderer(canvas, wanted);
    const scene = new TrainScene(canvas, view);
    scene.setSurroundings('studio', 'studio');
    scene.fit(new Box3());
    return scene;
  }

  private constructor(...[canvas, view]: ConstructorParameters<typeof StudioView>) {
    super(canvas, view);
    const content = new Group();
    content.add(this.#input, this.field);
    this.scene.add(content, this.#ground.object);
    this.#input.castShadow = this.#input.receiveShadow = true;
    this.#input.visible = false;
  }

  /** Whether there is a surface of the field. */
  get hasResult(): boolean {
    return this.field.mesh?.visible === true;
  }

  /** Shows another mesh to train on; the surface of the one before goes. */
  setInput({ positions, indices }: Triangles): void {
    const box = new Box3().setFromArray(positions as unknown as number[]);
    const center = box.getCenter(new Vector3());
    const middle = center.toArray();
    // Single precision is enough around the middle, wherever that is.
    const around = Float32Array.from(positions, (x, i) => x - middle[i % 3]);
    const geometry = new BufferGeometry();
    geometry.setAttribute('position', new BufferAttribute(around, 3));
    geometry.setIndex(new BufferAttribute(indices, 1));
    this.#input.geometry.dispose();
    this.#input.geometry = geometry;
    this.#input.position.copy(center);
    if (this.field.mesh) this.field.mesh.visible = false;
    this.#box = box;
    this.#side = Math.max(...box.getSize(new Vector3()).toArray());
    this.fit(box);
    this.#ground.place(box, new NSDFGroup());
    this.#apply();
  }

  /** The vertices of the surface, copied. */
  surfacePoints(): Float32Array<ArrayBuffer> {
    const { mesh, geometry } = this.field;
    const place = mesh?.position.toArray() ?? [0, 0, 0];
    const positions = geometry?.getAttribute('position')?.array ?? [];
    return Float32Array.from(positions as Float32Array, (x, i) => x + place[i % 3]);
  }

  /** Puts the field's weights in place and shows their surface. */
  async update(asset: FieldAsset, options: DeriveOptions): Promise<DeriveStats> {
    const stats = await this.field.updateWeights(asset, options);
    const { mesh, geometry } = this.field;
    if (mesh && geometry) {
      this.#plain ??= mesh.material;
      mesh.visible = mesh.castShadow = mesh.receiveShadow = true;
      // Until its distances are there.
      const nNumbers = geometry.getAttribute('position').count * 3;
      geometry.setAttribute('color', new BufferAttribute(new Float32Array(nNumbers).fill(0.4), 3));
    }
    this.#apply();
    return stats;
  }

  /** Colours the surface by distances of its vertices. */
  paint(distances: Float32Array): void {
    const colors = this.field.geometry?.getAttribute('color');
    if (colors?.count !== distances.length) return;
    const color = new Color();
    const [least, most] = HEAT_RANGE.map((share) => Math.log(share * this.#side));
    for (let v = 0; v < distances.length; v++) {
      const place = (Math.log(Math.max(distances[v], 1e-30)) - least) / (most - least);
      const at = Math.min(1, Math.max(0, place)) * (HEAT.length - 1);
      const step = Math.min(HEAT.length - 2, Math.floor(at));
      color.lerpColors(HEAT[step], HEAT[step + 1], at - step);
      colors.setXYZ(v, color.r, color.g, color.b);
    }
    colors.needsUpdate = true;
    this.invalidate();
  }

  /** The ends of the scale in units of the mesh. */
  get heatRange(): readonly number[] {
    return HEAT_RANGE.map((share) => share * this.#side);
  }

  /** The side of the mesh's box, its own units. */
  get side(): number {
    return this.#side;
  }

  show(what: Shown, isHot: boolean): void {
    this.#shown = what;
    this.#isHot = isHot;
    this.#apply();
  }

  reset(): void {
    this.fit(this.#box);
  }

  #apply(): void {
    const { mesh } = this.field;
    const hasResult = this.hasResult;
    this.field.visible = hasResult && this.#shown !== 'input';
    this.#input.visible = this.#input.geometry.index !== null && (!hasResult || this.#shown !== 'result');
    const hasLines = hasResult && this.#shown === 'both';
    this.#input.material = hasLines ? this.#lines : this.#solid;
    this.#input.castShadow = !hasLines;
    if (mesh && this.#plain) mesh.material = this.#isHot ? this.#heat : this.#plain;
    this.invalidate();
  }
}
