import { type Box3, PerspectiveCamera, Scene, Sphere, Vector3 } from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { followMotion } from '../less-motion.ts';
import type { Background, Insets, Pose } from '../stage.ts';
import { type EnvironmentName, isEnvironment } from '../studio-light.ts';
import type { ViewRenderer } from './renderer.ts';
import { createBackdrop, createKeyLight, createStudioEnvironment } from './studio.ts';

/** From where the camera first looks, and from where the key light comes. */
const VIEW_DIRECTION = new Vector3(0.42, 0.3, 1).normalize();
const LIGHT_DIRECTION = new Vector3(-0.55, 1.1, 0.75).normalize();

/** A lit scene and a camera that orbits in it, by pointer and by keys; draws only when something changed. */
export class StudioView {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(32, 1, 0.01, 100);
  readonly controls: OrbitControls;
  nFrames = 0;
  onFrame: () => void = () => {};
  protected readonly view: ViewRenderer;
  protected readonly canvas: HTMLCanvasElement;
  readonly #light = createKeyLight();
  readonly #sphere = new Sphere(new Vector3(), 1);
  #environment: EnvironmentName | null = null;
  #background = '';
  #insets: Insets = { right: 0, bottom: 0, top: 0 };
  #isScheduled = false;
  /** Whether the camera stands where `fit` put it. */
  #isFramed = false;

  constructor(canvas: HTMLCanvasElement, view: ViewRenderer) {
    this.canvas = canvas;
    this.view = view;
    this.scene.environmentIntensity = 0.42;
    this.scene.add(this.#light, this.#light.target);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.dampingFactor = 0.08;
    followMotion((isStill) => {
      this.controls.enableDamping = !isStill;
      this.invalidate();
    });
    this.controls.autoRotateSpeed = 1.4;
    this.controls.maxPolarAngle = Math.PI * 0.62;
    this.controls.addEventListener('change', () => this.invalidate());
    this.controls.addEventListener('start', () => {
      this.#isFramed = false;
    });
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  get kind(): 'webgpu' | 'webgl' {
    return this.view.kind;
  }

  setSurroundings(background: Background, environment: string): void {
    if (isEnvironment(environment) && environment !== this.#environment) {
      this.#environment = environment;
      this.scene.environment?.dispose();
      this.scene.environment = createStudioEnvironment(environment);
    }
    if (background !== this.#background) {
      this.#background = background;
      (this.scene.background as { dispose(): void } | null)?.dispose();
      this.scene.background = createBackdrop(background);
    }
    this.invalidate();
  }

  /** Has camera and light fit a box; an empty one counts as a ball of radius 1. */
  fit(box: Box3): void {
    if (box.isEmpty()) this.#sphere.set(new Vector3(), 1);
    else box.getBoundingSphere(this.#sphere);
    this.#fitCamera(this.#sphere);
    this.#fitLight(this.#sphere);
    this.#isFramed = true;
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

  setInsets(insets: Insets): void {
    this.#insets = insets;
    this.resize();
    if (!this.#isFramed || this.controls.autoRotate) return;
    this.#fitCamera(this.#sphere);
  }

  invalidate(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.view.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.view.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    const { right, bottom, top } = this.#insets;
    this.camera.setViewOffset(width, height, right / 2, (bottom - top) / 2, width, height);
    this.invalidate();
  }

  #fitCamera({ center, radius }: Sphere): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
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
    const isMoving = this.advance();
    this.controls.update();
    this.view.renderer.render(this.scene, this.camera);
    this.nFrames++;
    this.onFrame();
    if (isMoving || this.controls.autoRotate) this.invalidate();
  }

  /** Moves what moves by itself to where it is now; whether there is any. */
  protected advance(): boolean {
    return false;
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
