import {
  AnimationMixer,
  Box3,
  BufferAttribute,
  BufferGeometry,
  DataTexture,
  DoubleSide,
  Group,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  Plane,
  Raycaster,
  SRGBColorSpace,
  Timer,
  Vector2,
  Vector3,
} from 'three';
import type { DeriveStage } from '../../../src/index.ts';
import { detectSupport, NSDFGroup, NSDFLoader, type NSDFObject } from '../../../src/three/index.ts';
import { isLessMotionWanted } from '../less-motion.ts';
import type {
  Box,
  DeriveRequest,
  LoadOptions,
  LodRequest,
  Look,
  Ray,
  SaveFormat,
  Slice,
  Stage,
  ViewField,
} from '../stage.ts';
import { Appearance } from './appearance.ts';
import { Ground } from './ground.ts';
import { createRenderer, type ViewRenderer } from './renderer.ts';
import { save } from './save.ts';
import { StudioView } from './studio-view.ts';

/** The fields in three.js. */
export class ThreeStage extends StudioView implements Stage {
  readonly engine = 'three.js';
  readonly formats: readonly SaveFormat[] = ['glb', 'usdz', 'stl', 'obj', 'ply'];
  onLevel: (error: Error | null) => void = () => {};
  /** What was loaded, or its preview; the ground stays beside it. */
  readonly #content = new Group();
  readonly #appearance = new Appearance();
  readonly #ground = new Ground();
  readonly #clip = new Plane();
  readonly #cut = new Mesh(
    new BufferGeometry(),
    new MeshBasicMaterial({ side: DoubleSide, transparent: true, toneMapped: false }),
  );
  #group = new NSDFGroup();
  readonly #timer = new Timer();
  /** Plays the file's animations, where it has any. */
  #mixer: AnimationMixer | null = null;
  #fields: readonly ViewField[] = [];

  private constructor(canvas: HTMLCanvasElement, view: ViewRenderer) {
    super(canvas, view);
    this.#cut.visible = false;
    this.#cut.geometry.setAttribute('uv', new BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    this.#cut.geometry.setIndex([0, 1, 2, 0, 2, 3]);
    view.clipped.add(this.#content, this.#appearance.overlay);
    this.scene.add(view.clipped, this.#ground.object, this.#cut);
  }

  static async create(canvas: HTMLCanvasElement, wanted: string | null): Promise<ThreeStage> {
    return new ThreeStage(canvas, await createRenderer(canvas, wanted));
  }

  get fields(): readonly ViewField[] {
    return this.#fields;
  }

  async load(source: string | Uint8Array, options: LoadOptions): Promise<{ copyright: string | null }> {
    const { settings, lod, signal, onProgress, onDownload, onPreview } = options;
    const loader = new NSDFLoader(undefined, { ...settings, ...this.#shared, ...(lod && { lod }) })
      .setProgress(({ phase, stage, fraction }) =>
        onProgress(phase === 'download' ? 'downloading' : (stage ?? 'deriving'), fraction),
      )
      .setPreview((preview) => {
        if (this.#fields.length > 0) return;
        this.#content.add(preview);
        this.frame();
        onPreview();
      });
    const group =
      typeof source === 'string'
        ? await loader.loadAsync(source, ({ loaded }) => onDownload(loaded), { signal })
        : await loader.parseAsync(source, { signal });
    this.#group.dispose();
    this.#content.clear();
    this.#content.add(group);
    this.#group = group;
    this.#fields = group.fields.map(viewOf);
    this.#animate(group);
    for (const field of group.fields) {
      field.addEventListener('levelready', () => this.onLevel(null));
      field.addEventListener('error', ({ error }) => this.onLevel(error as Error));
    }
    return { copyright: group.copyright };
  }

  /** Where the file has animations they play, while nobody asks for less motion. */
  #animate(group: NSDFGroup): void {
    this.#mixer = group.animations.length > 0 ? new AnimationMixer(group) : null;
    for (const clip of group.animations) this.#mixer?.clipAction(clip).play();
  }

  protected override advance(): boolean {
    this.#timer.update();
    if (this.#mixer === null || isLessMotionWanted()) return false;
    this.#mixer.update(this.#timer.getDelta());
    return true;
  }

  async derive(
    options: DeriveRequest,
    onProgress: (stage: DeriveStage, fraction: number) => void,
  ): Promise<void> {
    const { fields } = this.#group;
    const fractions = fields.map(() => 0);
    const each = fields.map((field, index) =>
      field.derive({
        ...options,
        ...this.#shared,
        onProgress: ({ stage, fraction }) => {
          fractions[index] = fraction;
          onProgress(stage, fractions.reduce((a, b) => a + b, 0) / fractions.length);
        },
      }),
    );
    await Promise.all(each);
  }

  async setLod(lod: LodRequest, settings: DeriveRequest): Promise<void> {
    const { signal: _signal, ...derive } = settings;
    await Promise.all(this.#group.fields.map((field) => field.setLod(lod, { ...derive, ...this.#shared })));
    this.invalidate();
  }

  /** The renderer's own GPU device, where it has one. */
  get #shared(): { readonly device?: GPUDevice } {
    const { device } = detectSupport(this.view.renderer);
    return device ? { device } : {};
  }

  apply(look: Look): void {
    this.setSurroundings(look.background, look.environment);
    this.#appearance.apply(this.#content, look.shading, look.hasWireframe);
    this.controls.autoRotate = look.isTurning;
    this.invalidate();
  }

  frame(): Box | null {
    const box = new Box3().setFromObject(this.#content);
    this.fit(box);
    return box.isEmpty() ? null : { min: box.min.toArray(), max: box.max.toArray() };
  }

  placeGround(): void {
    this.#ground.place(new Box3().setFromObject(this.#content), this.#group);
    this.invalidate();
  }

  pick(x: number, y: number): Ray {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const raycaster = new Raycaster();
    raycaster.setFromCamera(new Vector2((x / width) * 2 - 1, 1 - (y / height) * 2), this.camera);
    const { origin, direction } = raycaster.ray;
    const hits = raycaster.intersectObject(this.#content).map(({ distance }) => distance);
    return { origin: origin.toArray(), direction: direction.toArray(), hits };
  }

  setSlice(slice: Slice | null): void {
    this.#cut.visible = slice !== null;
    this.#cut.material.map?.dispose();
    if (slice) {
      const { axis, at, corners, rgba, size } = slice;
      this.#clip.set(new Vector3().setComponent(axis, -1), at);
      this.#cut.geometry.setAttribute('position', new BufferAttribute(new Float32Array(corners.flat()), 3));
      this.#cut.geometry.computeBoundingSphere();
      const map = new DataTexture(rgba, size, size);
      map.colorSpace = SRGBColorSpace;
      map.minFilter = map.magFilter = LinearFilter;
      map.needsUpdate = true;
      this.#cut.material.map = map;
      this.#cut.material.needsUpdate = true;
    }
    const planes = slice ? [this.#clip] : [];
    this.view.clipped.clippingPlanes = planes;
    this.#appearance.clip(this.#content, planes);
    this.invalidate();
  }

  save(format: SaveFormat): Promise<Blob> {
    return this.#appearance.withOwnMaterials(this.#content, () => save(this.#group, format));
  }
}

function viewOf(field: NSDFObject): ViewField {
  return {
    get stats() {
      return field.stats;
    },
    get isEmpty() {
      return field.isEmpty;
    },
    get asset() {
      return field.asset;
    },
    get level() {
      return field.level;
    },
    get wantedLevel() {
      return field.wantedLevel;
    },
    get ladder() {
      return field.ladder;
    },
    surface: () => ({
      positions: field.geometry?.getAttribute('position').array as Float32Array,
      normals: field.geometry?.getAttribute('normal').array as Float32Array,
      indices: Uint32Array.from(field.geometry?.index?.array ?? []),
    }),
    sampleWorld: (points) => field.sampleWorld(points),
  };
}
