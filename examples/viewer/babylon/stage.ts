import { ArcRotateCamera } from '@babylonjs/core/Cameras/arcRotateCamera.js';
import type { DirectionalLight } from '@babylonjs/core/Lights/directionalLight.js';
import type { ShadowGenerator } from '@babylonjs/core/Lights/Shadows/shadowGenerator.js';
import { Vector3 } from '@babylonjs/core/Maths/math.vector.js';
import type { AbstractMesh } from '@babylonjs/core/Meshes/abstractMesh.js';
import { Scene } from '@babylonjs/core/scene.js';
import type { Insets } from '../stage.ts';
import type { ViewEngine } from './engine.ts';
import { createBackdrop, createKeyLight, createStudioEnvironment } from './studio.ts';

/** From where the camera first looks, and from where the key light comes; x mirrored, as Babylon's world is. */
const VIEW_DIRECTION = new Vector3(-0.42, 0.3, 1).normalize();
const LIGHT_DIRECTION = new Vector3(0.55, 1.1, 0.75).normalize();
const TURNS_PER_SECOND = 1 / 43;

/** The scene around the fields: camera, lights; draws only when something changed. */
export class Stage {
  readonly scene: Scene;
  readonly camera: ArcRotateCamera;
  /** Frames in which everything was there to be drawn. */
  nFrames = 0;
  isTurning = false;
  /** Called after every frame. */
  onFrame: () => void = () => {};
  readonly #canvas: HTMLCanvasElement;
  readonly #view: ViewEngine;
  readonly #light: DirectionalLight;
  readonly #shadows: ShadowGenerator;
  #insets: Insets = { right: 0, bottom: 0, top: 0 };
  #isScheduled = false;

  constructor(canvas: HTMLCanvasElement, view: ViewEngine) {
    this.#canvas = canvas;
    this.#view = view;
    this.scene = new Scene(view.engine);
    this.scene.environmentTexture = createStudioEnvironment(this.scene);
    this.scene.environmentIntensity = 0.42;
    createBackdrop(this.scene);
    const { light, shadows } = createKeyLight(this.scene);
    this.#light = light;
    this.#shadows = shadows;
    this.camera = new ArcRotateCamera('camera', 0, 0, 5, Vector3.Zero(), this.scene);
    this.camera.fov = (32 * Math.PI) / 180;
    this.camera.upperBetaLimit = Math.PI * 0.62;
    this.camera.wheelDeltaPercentage = 0.01;
    this.camera.panningSensibility = 0;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.camera.inertia = 0;
    this.camera.attachControl(canvas, true);
    for (const type of ['pointerdown', 'pointermove', 'wheel', 'keydown', 'keyup']) {
      canvas.addEventListener(type, () => this.invalidate());
    }
    canvas.addEventListener('keydown', (event) => this.#zoomByKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** Asks for one more frame. */
  invalidate(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** Keeps the object in the middle of what the panel leaves free. */
  setInsets(insets: Insets): void {
    this.#insets = insets;
    this.resize();
  }

  resize(): void {
    if (this.#canvas.clientWidth === 0 || this.#canvas.clientHeight === 0) return;
    this.#view.engine.resize();
    this.invalidate();
  }

  /** Fits camera and shadows to some meshes. @returns their box in the world; null where there is nothing. */
  frame(meshes: readonly AbstractMesh[]): { min: Vector3; max: Vector3 } | null {
    const shown = meshes.filter((mesh) => mesh.getTotalVertices() > 0);
    for (const mesh of shown) mesh.computeWorldMatrix(true);
    const boxes = shown.map((mesh) => mesh.getBoundingInfo().boundingBox);
    const shadowed = this.#shadows.getShadowMap();
    if (shadowed) shadowed.renderList = [...shown];
    if (boxes.length === 0) {
      this.#fit(Vector3.Zero(), 1);
      return null;
    }
    const min = boxes.map(({ minimumWorld }) => minimumWorld).reduce((a, b) => Vector3.Minimize(a, b));
    const max = boxes.map(({ maximumWorld }) => maximumWorld).reduce((a, b) => Vector3.Maximize(a, b));
    this.#fit(min.add(max).scale(0.5), max.subtract(min).length() / 2);
    return { min, max };
  }

  #fit(center: Vector3, radius: number): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const { right, bottom, top } = this.#insets;
    const free = Math.min(width - right, (height - bottom - top) * 1.05) / height;
    const distance = (radius * 0.97) / Math.sin(Math.atan(Math.tan(this.camera.fov / 2) * free));
    this.camera.setTarget(center);
    this.camera.setPosition(center.add(VIEW_DIRECTION.scale(distance)));
    this.camera.minZ = distance / 100;
    this.camera.maxZ = distance + radius * 30;
    this.camera.lowerRadiusLimit = radius * 0.4;
    this.camera.upperRadiusLimit = distance * 6;
    this.#light.direction = LIGHT_DIRECTION.negate();
    this.#light.position = center.add(LIGHT_DIRECTION.scale(radius * 4));
    this.invalidate();
  }

  #draw(): void {
    this.#isScheduled = false;
    const { engine } = this.#view;
    if (this.isTurning) this.camera.alpha -= TURNS_PER_SECOND * 2 * Math.PI * (engine.getDeltaTime() / 1000);
    this.#shiftCamera();
    engine.beginFrame();
    this.scene.render();
    engine.endFrame();
    // Shaders compile beside the page: what lacks one is drawn later.
    this.onFrame();
    const isReady = this.scene.isReady();
    if (isReady) this.nFrames++;
    if (!isReady || this.isTurning || this.#hasInertia()) this.invalidate();
  }

  /** The panel's insets in the world's units, at the distance of what is looked at. */
  #shiftCamera(): void {
    const { right, bottom, top } = this.#insets;
    const unitsPerPixel =
      (2 * this.camera.radius * Math.tan(this.camera.fov / 2)) / this.#canvas.clientHeight;
    this.camera.targetScreenOffset.set((-right / 2) * unitsPerPixel, ((bottom - top) / 2) * unitsPerPixel);
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
