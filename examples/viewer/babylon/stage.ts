import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import { ArcRotateCamera } from '@babylonjs/core/Cameras/arcRotateCamera.js';
import '@babylonjs/core/Culling/ray.js';
import { Constants } from '@babylonjs/core/Engines/constants.js';
import type { DirectionalLight } from '@babylonjs/core/Lights/directionalLight.js';
import type { ShadowGenerator } from '@babylonjs/core/Lights/Shadows/shadowGenerator.js';
import { LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { StandardMaterial } from '@babylonjs/core/Materials/standardMaterial.js';
import { RawTexture } from '@babylonjs/core/Materials/Textures/rawTexture.js';
import { Plane } from '@babylonjs/core/Maths/math.plane.js';
import { Matrix, Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import { Mesh } from '@babylonjs/core/Meshes/mesh.js';
import { VertexData } from '@babylonjs/core/Meshes/mesh.vertexData.js';
import { RuntimeError } from '@babylonjs/core/Misc/error.js';
import { Logger } from '@babylonjs/core/Misc/logger.js';
import { Scene } from '@babylonjs/core/scene.js';
import {
  type NSDFLodOptions,
  type NSDFObject,
  type NSDFPluginOptions,
  nsdfOf,
  registerNSDFLoader,
} from '../../../src/babylon/index.ts';
import type { DeriveStage } from '../../../src/index.ts';
import { followMotion, isLessMotionWanted } from '../less-motion.ts';
import type {
  Box,
  DeriveRequest,
  Insets,
  LoadOptions,
  LodRequest,
  Look,
  Point,
  Pose,
  Ray,
  SaveFormat,
  Slice,
  Stage,
  ViewField,
} from '../stage.ts';
import { type EnvironmentName, isEnvironment } from '../studio-light.ts';
import { Appearance } from './appearance.ts';
import { createEngine, type ViewEngine } from './engine.ts';
import { Ground } from './ground.ts';
import { save } from './save.ts';
import { Backdrop, createKeyLight, createStudioEnvironment } from './studio.ts';

/** From where the camera first looks, and from where the key light comes; x mirrored, as Babylon's world is. */
const VIEW_DIRECTION = new Vector3(-0.42, 0.3, 1).normalize();
const LIGHT_DIRECTION = new Vector3(0.55, 1.1, 0.75).normalize();
const TURNS_PER_SECOND = 1 / 43;

/** The scene around the fields in Babylon.js; draws only when something changed. */
export class BabylonStage implements Stage {
  readonly engine = 'Babylon.js';
  readonly formats: readonly SaveFormat[] = ['glb', 'usdz', 'stl', 'obj'];
  readonly scene: Scene;
  readonly camera: ArcRotateCamera;
  nFrames = 0;
  onFrame: () => void = () => {};
  onLevel: (error: Error | null) => void = () => {};
  readonly #canvas: HTMLCanvasElement;
  readonly #view: ViewEngine;
  readonly #appearance: Appearance;
  readonly #backdrop: Backdrop;
  readonly #ground: Ground;
  readonly #light: DirectionalLight;
  readonly #shadows: ShadowGenerator;
  readonly #cut: Mesh;
  #content: AssetContainer | null = null;
  #preview: readonly AbstractMesh[] = [];
  #fields: readonly ViewField[] = [];
  #environment: EnvironmentName | null = null;
  #background = '';
  #insets: Insets = { right: 0, bottom: 0, top: 0 };
  #isTurning = false;
  #isScheduled = false;
  /** Whether the camera stands where `frame` put it. */
  #isFramed = false;

  private constructor(canvas: HTMLCanvasElement, view: ViewEngine) {
    this.#canvas = canvas;
    this.#view = view;
    this.scene = new Scene(view.engine);
    this.scene.environmentIntensity = 0.42;
    this.#backdrop = new Backdrop(this.scene);
    const { light, shadows } = createKeyLight(this.scene);
    this.#light = light;
    this.#shadows = shadows;
    this.#appearance = new Appearance(this.scene);
    this.#ground = new Ground(this.scene);
    this.#cut = createCut(this.scene);
    this.camera = new ArcRotateCamera('camera', 0, 0, 5, Vector3.Zero(), this.scene);
    this.camera.fov = (32 * Math.PI) / 180;
    this.camera.upperBetaLimit = Math.PI * 0.62;
    this.camera.wheelDeltaPercentage = 0.01;
    this.camera.panningSensibility = 0;
    const { inertia } = this.camera;
    followMotion((isStill) => {
      this.camera.inertia = isStill ? 0 : inertia;
      this.#animate(isStill);
    });
    this.camera.attachControl(canvas, true);
    for (const type of ['pointerdown', 'pointermove', 'wheel', 'keydown', 'keyup']) {
      canvas.addEventListener(type, () => this.invalidate());
    }
    for (const type of ['pointerdown', 'wheel', 'keydown']) {
      canvas.addEventListener(type, () => {
        this.#isFramed = false;
      });
    }
    canvas.addEventListener('keydown', (event) => this.#zoomByKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  static async create(canvas: HTMLCanvasElement, wanted: string | null): Promise<BabylonStage> {
    Logger.LogLevels = Logger.ErrorLogLevel;
    registerNSDFLoader();
    return new BabylonStage(canvas, await createEngine(canvas, wanted));
  }

  get kind(): 'webgpu' | 'webgl' {
    return this.#view.kind;
  }

  get fields(): readonly ViewField[] {
    return this.#fields;
  }

  async load(source: string | Uint8Array, options: LoadOptions): Promise<{ copyright: string | null }> {
    let copyright: string | null = null;
    const nsdf: NSDFPluginOptions = {
      ...options.settings,
      ...(options.lod && { lod: this.#lodOptions(options.lod) }),
      signal: options.signal,
      onProgress: ({ phase, stage, fraction }) =>
        options.onProgress(phase === 'download' ? 'downloading' : (stage ?? 'deriving'), fraction),
      onPreview: (root) => {
        if (this.#content) return;
        this.#preview = root.getChildMeshes();
        this.frame();
        options.onPreview();
      },
      gltf: {
        onParsed: ({ json }) => {
          copyright = (json as { asset: { copyright?: string } }).asset.copyright ?? null;
        },
      },
    };
    try {
      const content = await LoadAssetContainerAsync(source, this.scene, {
        pluginExtension: '.nsdf',
        onProgress: ({ loaded }) => options.onDownload(loaded),
        pluginOptions: { nsdf },
      });
      if (options.signal.aborted) content.dispose();
      options.signal.throwIfAborted();
      this.#content?.dispose();
      content.addAllToScene();
      this.#content = content;
      this.#animate(isLessMotionWanted());
      this.#fields = this.#objects.map(viewOf);
    } catch (error) {
      // Babylon wraps what was thrown in an error of its own.
      throw error instanceof RuntimeError ? (error.innerError ?? error) : error;
    } finally {
      this.#preview = [];
    }
    return { copyright };
  }

  /** Where the file has animations they play, while nobody asks for less motion. */
  #animate(isStill: boolean): void {
    for (const group of this.#content?.animationGroups ?? []) {
      if (isStill) group.pause();
      else group.play(true);
    }
    this.invalidate();
  }

  async derive(
    options: DeriveRequest,
    onProgress: (stage: DeriveStage, fraction: number) => void,
  ): Promise<void> {
    const sources = this.#sources;
    const fractions = sources.map(() => 0);
    const each = sources.map((field, index) =>
      field.derive({
        ...options,
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
    await Promise.all(this.#sources.map((field) => field.setLod(this.#lodOptions(lod), derive)));
    this.invalidate();
  }

  #lodOptions(lod: LodRequest): NSDFLodOptions {
    return {
      ...lod,
      onLevel: ({ what, error }) => this.onLevel(what === 'failed' ? (error as Error) : null),
    };
  }

  get #objects(): readonly NSDFObject[] {
    return this.#meshes.map(nsdfOf).filter((field) => field !== null);
  }

  /** One field of each geometry: meshes that share one are derived together. */
  get #sources(): readonly NSDFObject[] {
    return [...new Map(this.#objects.map((field) => [field.mesh.geometry, field])).values()];
  }

  get #meshes(): readonly AbstractMesh[] {
    return this.#content?.meshes ?? this.#preview;
  }

  apply(look: Look): void {
    if (isEnvironment(look.environment) && look.environment !== this.#environment) {
      this.#environment = look.environment;
      this.scene.environmentTexture?.dispose();
      this.scene.environmentTexture = createStudioEnvironment(this.scene, look.environment);
    }
    if (look.background !== this.#background) {
      this.#background = look.background;
      this.#backdrop.paint(look.background);
    }
    this.#appearance.apply(this.#meshes, look.shading, look.hasWireframe);
    this.#isTurning = look.isTurning;
    this.invalidate();
  }

  frame(): Box | null {
    const box = this.#box();
    const shadowed = this.#shadows.getShadowMap();
    if (shadowed) shadowed.renderList = [...this.#shownMeshes];
    if (box) this.#fit(box.min.add(box.max).scale(0.5), box.max.subtract(box.min).length() / 2);
    else this.#fit(Vector3.Zero(), 1);
    this.#isFramed = true;
    if (!box) return null;
    const { min, max } = box;
    return { min: [-max.x, min.y, min.z], max: [-min.x, max.y, max.z] };
  }

  placeGround(): void {
    const box = this.#box();
    if (box) this.#ground.place(box.min, box.max, this.#objects);
    else this.#ground.clear();
    this.invalidate();
  }

  get #shownMeshes(): readonly AbstractMesh[] {
    return this.#meshes.filter((mesh) => mesh.getTotalVertices() > 0);
  }

  /** In Babylon's world; null where there is nothing. */
  #box(): { min: Vector3; max: Vector3 } | null {
    const shown = this.#shownMeshes;
    for (const mesh of shown) mesh.computeWorldMatrix(true);
    const boxes = shown.map((mesh) => mesh.getBoundingInfo().boundingBox);
    if (boxes.length === 0) return null;
    const min = boxes.map(({ minimumWorld }) => minimumWorld).reduce((a, b) => Vector3.Minimize(a, b));
    const max = boxes.map(({ maximumWorld }) => maximumWorld).reduce((a, b) => Vector3.Maximize(a, b));
    return { min, max };
  }

  getPose(): Pose {
    return { position: pointOf(this.camera.position), target: pointOf(this.camera.target) };
  }

  setPose({ position, target }: Pose): void {
    this.camera.setTarget(vectorOf(target));
    this.camera.setPosition(vectorOf(position));
    this.#isFramed = false;
    this.invalidate();
  }

  pick(x: number, y: number): Ray {
    const ray = this.scene.createPickingRay(x, y, Matrix.Identity(), this.camera);
    const meshes = new Set<AbstractMesh>(this.#shownMeshes);
    const picked = this.scene.multiPickWithRay(ray, (mesh) => meshes.has(mesh)) ?? [];
    const hits = picked.map(({ distance }) => distance).sort((a, b) => a - b);
    return { origin: pointOf(ray.origin), direction: pointOf(ray.direction), hits };
  }

  setSlice(slice: Slice | null): void {
    this.#cut.setEnabled(slice !== null);
    const material = this.#cut.material as StandardMaterial;
    material.emissiveTexture?.dispose();
    if (slice) {
      const vertices = new VertexData();
      vertices.positions = slice.corners.flatMap(([x, y, z]) => [-x, y, z]);
      vertices.uvs = [0, 0, 1, 0, 1, 1, 0, 1];
      vertices.indices = [0, 1, 2, 0, 2, 3];
      vertices.applyToMesh(this.#cut);
      const { TEXTUREFORMAT_RGBA, TEXTURE_BILINEAR_SAMPLINGMODE } = Constants;
      const { rgba, size } = slice;
      material.emissiveTexture = new RawTexture(
        rgba,
        size,
        size,
        TEXTUREFORMAT_RGBA,
        this.scene,
        false,
        false,
        TEXTURE_BILINEAR_SAMPLINGMODE,
      );
      material.emissiveTexture.hasAlpha = true;
      material.opacityTexture = material.emissiveTexture;
    }
    this.#appearance.clip(this.#meshes, slice && planeOf(slice));
    this.invalidate();
  }

  save(format: SaveFormat): Promise<Blob> {
    const content = this.#content;
    if (!content) return Promise.reject(new Error('there is nothing to save'));
    return this.#appearance.withOwnMaterials(content.meshes, () => save(this.scene, content, format));
  }

  setInsets(insets: Insets): void {
    this.#insets = insets;
    this.resize();
    if (this.#isFramed && !this.#isTurning) this.frame();
  }

  resize(): void {
    if (this.#canvas.clientWidth === 0 || this.#canvas.clientHeight === 0) return;
    this.#view.engine.resize();
    this.invalidate();
  }

  invalidate(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  #fit(center: Vector3, radius: number): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const { right, bottom, top } = this.#insets;
    const free = Math.min(width - right, (height - bottom - top) * 1.05) / height;
    const distance = (radius * 0.97) / Math.sin(Math.atan(Math.tan(this.camera.fov / 2) * free));
    this.camera.lowerRadiusLimit = radius * 0.2;
    this.camera.upperRadiusLimit = distance * 6;
    this.camera.setTarget(center);
    this.camera.setPosition(center.add(VIEW_DIRECTION.scale(distance)));
    this.camera.minZ = distance / 100;
    this.camera.maxZ = distance + radius * 30;
    this.#light.direction = LIGHT_DIRECTION.negate();
    this.#light.position = center.add(LIGHT_DIRECTION.scale(radius * 4));
    this.invalidate();
  }

  #draw(): void {
    this.#isScheduled = false;
    const { engine } = this.#view;
    if (this.#isTurning) this.camera.alpha -= TURNS_PER_SECOND * 2 * Math.PI * (engine.getDeltaTime() / 1000);
    this.#shiftCamera();
    engine.beginFrame();
    this.scene.render();
    engine.endFrame();
    // Shaders compile beside the page: what lacks one is drawn later.
    const isReady = this.scene.isReady();
    if (isReady) this.nFrames++;
    this.onFrame();
    if (!isReady || this.#isTurning || this.#isAnimated || this.#hasInertia()) this.invalidate();
  }

  /** The panel's insets in the world's units, at the distance of what is looked at. */
  #shiftCamera(): void {
    const { right, bottom, top } = this.#insets;
    const unitsPerPixel =
      (2 * this.camera.radius * Math.tan(this.camera.fov / 2)) / this.#canvas.clientHeight;
    this.camera.targetScreenOffset.set((-right / 2) * unitsPerPixel, ((bottom - top) / 2) * unitsPerPixel);
  }

  get #isAnimated(): boolean {
    return this.#content?.animationGroups.some(({ isPlaying }) => isPlaying) ?? false;
  }

  #hasInertia(): boolean {
    const { inertialAlphaOffset, inertialBetaOffset, inertialRadiusOffset } = this.camera;
    return inertialAlphaOffset !== 0 || inertialBetaOffset !== 0 || inertialRadiusOffset !== 0;
  }

  /** Babylon's own keys orbit; plus and minus zoom. */
  #zoomByKey({ key }: KeyboardEvent): void {
    if (key === '+') this.camera.radius *= 0.9;
    if (key === '-') this.camera.radius *= 1.1;
  }
}

function createCut(scene: Scene): Mesh {
  const cut = new Mesh('slice', scene);
  const material = new StandardMaterial('slice', scene);
  material.disableLighting = true;
  material.backFaceCulling = false;
  cut.material = material;
  cut.isPickable = false;
  cut.setEnabled(false);
  return cut;
}

/** Babylon's world mirrors x of glTF's. */
function pointOf({ x, y, z }: Vector3): Point {
  return [-x, y, z];
}

function vectorOf([x, y, z]: Point): Vector3 {
  return new Vector3(-x, y, z);
}

/** Babylon leaves out what has a positive distance to the plane. */
function planeOf({ axis, at }: Slice): Plane {
  const normal = vectorOf([0, 1, 2].map((i) => (i === axis ? 1 : 0)) as unknown as Point);
  return new Plane(normal.x, normal.y, normal.z, -at);
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
      positions: field.mesh.getVerticesData('position') as Float32Array,
      normals: field.mesh.getVerticesData('normal') as Float32Array,
      indices: Uint32Array.from(field.mesh.getIndices() ?? []),
    }),
    sampleWorld: (points) => {
      const mirrored = Float64Array.from(points, (value, i) => (i % 3 === 0 ? -value : value));
      const { distances, gradients } = field.sampleWorld(mirrored);
      return { distances, gradients: gradients.map((value, i) => (i % 3 === 0 ? -value : value)) };
    },
  };
}
