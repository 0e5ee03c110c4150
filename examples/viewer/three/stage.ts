import {
  Box3,
  BufferAttribute,
  BufferGeometry,
  DataTexture,
  DoubleSide,
  Group,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  PerspectiveCamera,
  Plane,
  Raycaster,
  Scene,
  Sphere,
  SRGBColorSpace,
  Vector2,
  Vector3,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import type { DeriveStage } from '../../../src/index.ts';
import { detectSupport, NSDFGroup, NSDFLoader, type NSDFObject } from '../../../src/three/index.ts';
import type {
  Box,
  DeriveRequest,
  Insets,
  LoadOptions,
  LodRequest,
  Look,
  Pose,
  Ray,
  SaveFormat,
  Slice,
  Stage,
  ViewField,
} from '../stage.ts';
import { type EnvironmentName, isEnvironment } from '../studio-light.ts';
import { Appearance } from './appearance.ts';
import { Ground } from './ground.ts';
import { createRenderer, type ViewRenderer } from './renderer.ts';
import { save } from './save.ts';
import { createBackdrop, createKeyLight, createStudioEnvironment } from './studio.ts';

/** From where the camera first looks, and from where the key light comes. */
const VIEW_DIRECTION = new Vector3(0.42, 0.3, 1).normalize();
const LIGHT_DIRECTION = new Vector3(-0.55, 1.1, 0.75).normalize();

/** The scene around the fields in three.js; draws only when something changed. */
export class ThreeStage implements Stage {
  readonly engine = 'three.js';
  readonly formats: readonly SaveFormat[] = ['glb', 'usdz', 'stl', 'obj', 'ply'];
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(32, 1, 0.01, 100);
  readonly controls: OrbitControls;
  nFrames = 0;
  onFrame: () => void = () => {};
  onLevel: (error: Error | null) => void = () => {};
  readonly #view: ViewRenderer;
  readonly #canvas: HTMLCanvasElement;
  /** What was loaded, or its preview; the ground stays beside it. */
  readonly #content = new Group();
  readonly #appearance = new Appearance();
  readonly #ground = new Ground();
  readonly #light = createKeyLight();
  readonly #clip = new Plane();
  readonly #cut = new Mesh(
    new BufferGeometry(),
    new MeshBasicMaterial({ side: DoubleSide, transparent: true, toneMapped: false }),
  );
  #group = new NSDFGroup();
  #fields: readonly ViewField[] = [];
  #environment: EnvironmentName | null = null;
  #background = '';
  #insets: Insets = { right: 0, bottom: 0, top: 0 };
  #isScheduled = false;
  /** Whether the camera stands where `frame` put it. */
  #isFramed = false;

  private constructor(canvas: HTMLCanvasElement, view: ViewRenderer) {
    this.#canvas = canvas;
    this.#view = view;
    this.#cut.visible = false;
    this.#cut.geometry.setAttribute('uv', new BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    this.#cut.geometry.setIndex([0, 1, 2, 0, 2, 3]);
    view.clipped.add(this.#content, this.#appearance.overlay);
    this.scene.environmentIntensity = 0.42;
    this.scene.add(view.clipped, this.#ground.object, this.#light, this.#light.target, this.#cut);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.controls.dampingFactor = 0.08;
    this.controls.autoRotateSpeed = 1.4;
    this.controls.maxPolarAngle = Math.PI * 0.62;
    this.controls.addEventListener('change', () => this.invalidate());
    this.controls.addEventListener('start', () => {
      this.#isFramed = false;
    });
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  static async create(canvas: HTMLCanvasElement, wanted: string | null): Promise<ThreeStage> {
    return new ThreeStage(canvas, await createRenderer(canvas, wanted));
  }

  get kind(): 'webgpu' | 'webgl' {
    return this.#view.kind;
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
    for (const field of group.fields) {
      field.addEventListener('levelready', () => this.onLevel(null));
      field.addEventListener('error', ({ error }) => this.onLevel(error as Error));
    }
    return { copyright: group.copyright };
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
    const { device } = detectSupport(this.#view.renderer);
    return device ? { device } : {};
  }

  apply(look: Look): void {
    if (isEnvironment(look.environment) && look.environment !== this.#environment) {
      this.#environment = look.environment;
      this.scene.environment?.dispose();
      this.scene.environment = createStudioEnvironment(look.environment);
    }
    if (look.background !== this.#background) {
      this.#background = look.background;
      (this.scene.background as { dispose(): void } | null)?.dispose();
      this.scene.background = createBackdrop(look.background);
    }
    this.#appearance.apply(this.#content, look.shading, look.hasWireframe);
    this.controls.autoRotate = look.isTurning;
    this.invalidate();
  }

  frame(): Box | null {
    const box = new Box3().setFromObject(this.#content);
    const sphere = box.isEmpty() ? new Sphere(new Vector3(), 1) : box.getBoundingSphere(new Sphere());
    this.#fitCamera(sphere);
    this.#fitLight(sphere);
    this.#isFramed = true;
    return box.isEmpty() ? null : { min: box.min.toArray(), max: box.max.toArray() };
  }

  placeGround(): void {
    this.#ground.place(new Box3().setFromObject(this.#content), this.#group);
    this.invalidate();
  }

  getPose(): Pose {
    return { position: this.camera.position.toArray(), target: this.controls.target.toArray() };
  }

  setPose({ position, target }: Pose): void {
    this.camera.position.fromArray(position);
    this.controls.target.fromArray(target);
    this.controls.update();
    this.#isFramed = false;
    this.invalidate();
  }

  pick(x: number, y: number): Ray {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
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
    this.#view.clipped.clippingPlanes = planes;
    this.#appearance.clip(this.#content, planes);
    this.invalidate();
  }

  save(format: SaveFormat): Promise<Blob> {
    return this.#appearance.withOwnMaterials(this.#content, () => save(this.#group, format));
  }

  setInsets(insets: Insets): void {
    this.#insets = insets;
    this.resize();
    if (this.#isFramed && !this.controls.autoRotate) this.frame();
  }

  invalidate(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return;
    this.#view.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.#view.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    const { right, bottom, top } = this.#insets;
    this.camera.setViewOffset(width, height, right / 2, (bottom - top) / 2, width, height);
    this.invalidate();
  }

  #fitCamera({ center, radius }: Sphere): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const { right, bottom, top } = this.#insets;
    const free = Math.min(width - right, (height - bottom - top) * 1.05) / height;
    const halfAngle = Math.atan(Math.tan((this.camera.fov * Math.PI) / 360) * free);
    const distance = (radius * 0.97) / Math.sin(halfAngle);
    this.camera.position.copy(VIEW_DIRECTION).multiplyScalar(distance).add(center);
    this.camera.near = distance / 100;
    this.camera.far = distance + radius * 30;
    this.camera.updateProjectionMatrix();
    this.controls.target.copy(center);
    this.controls.minDistance = radius * 0.2;
    this.controls.maxDistance = distance * 6;
    this.controls.update();
    this.invalidate();
  }

  #fitLight({ center, radius }: Sphere): void {
    this.#light.target.position.copy(center);
    this.#light.position
      .copy(LIGHT_DIRECTION)
      .multiplyScalar(radius * 4)
      .add(center);
    const shadowCamera = this.#light.shadow.camera;
    shadowCamera.left = shadowCamera.bottom = -radius * 1.6;
    shadowCamera.right = shadowCamera.top = radius * 1.6;
    shadowCamera.near = radius;
    shadowCamera.far = radius * 8;
    this.#light.shadow.normalBias = radius * 0.02;
    shadowCamera.updateProjectionMatrix();
  }

  #draw(): void {
    this.#isScheduled = false;
    this.controls.update();
    this.#view.renderer.render(this.scene, this.camera);
    this.nFrames++;
    this.onFrame();
    if (this.controls.autoRotate) this.invalidate();
  }

  /** Arrow keys orbit, plus and minus zoom: the canvas can be used without a pointer. */
  #onKey(event: KeyboardEvent): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const up = new Vector3(0, 1, 0);
    const side = new Vector3().crossVectors(up, offset).normalize();
    const turns: Record<string, () => void> = {
      ArrowLeft: () => offset.applyAxisAngle(up, -0.1),
      ArrowRight: () => offset.applyAxisAngle(up, 0.1),
      ArrowUp: () => offset.applyAxisAngle(side, -0.08),
      ArrowDown: () => offset.applyAxisAngle(side, 0.08),
      '+': () => offset.multiplyScalar(0.9),
      '-': () => offset.multiplyScalar(1.1),
    };
    const turn = turns[event.key];
    if (!turn) return;
    event.preventDefault();
    turn();
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.#isFramed = false;
    this.invalidate();
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
