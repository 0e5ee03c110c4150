import { Box3, Group, type Object3D, PerspectiveCamera, Scene, Sphere, Vector3 } from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import type { ViewRenderer } from './renderer.ts';
import { createBackdrop, createKeyLight, createStudioEnvironment } from './studio.ts';

/** From where the camera first looks, and from where the key light comes. */
const VIEW_DIRECTION = new Vector3(0.42, 0.3, 1).normalize();
const LIGHT_DIRECTION = new Vector3(-0.55, 1.1, 0.75).normalize();

/** Space that panel and title cover, in CSS pixels. */
export interface Insets {
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

/** The scene around the fields: camera, orbit controls, lights; draws only when something changed. */
export class Stage {
  readonly scene = new Scene();
  readonly camera = new PerspectiveCamera(32, 1, 0.01, 100);
  /** What was loaded goes here; the ground and overlays stay beside it. */
  readonly content = new Group();
  readonly controls: OrbitControls;
  nFrames = 0;
  /** Called after every frame. */
  onFrame: (() => void) | null = null;
  readonly #view: ViewRenderer;
  readonly #light = createKeyLight();
  readonly #canvas: HTMLCanvasElement;
  #insets: Insets = { right: 0, bottom: 0, top: 0 };
  #isScheduled = false;

  constructor(canvas: HTMLCanvasElement, view: ViewRenderer) {
    this.#canvas = canvas;
    this.#view = view;
    this.scene.environment = createStudioEnvironment();
    this.scene.background = createBackdrop();
    this.scene.environmentIntensity = 0.42;
    this.scene.add(this.content, this.#light, this.#light.target);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.controls.dampingFactor = 0.08;
    this.controls.autoRotateSpeed = 1.4;
    this.controls.maxPolarAngle = Math.PI * 0.62;
    this.controls.addEventListener('change', () => this.invalidate());
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
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
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width === 0 || height === 0) return;
    this.#view.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.#view.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    const { right, bottom, top } = this.#insets;
    this.camera.setViewOffset(width, height, right / 2, (bottom - top) / 2, width, height);
    this.invalidate();
  }

  /** Fits camera and shadow to an object. @returns its box in the world. */
  frame(object: Object3D): Box3 {
    const box = new Box3().setFromObject(object);
    const sphere = box.isEmpty() ? new Sphere(new Vector3(), 1) : box.getBoundingSphere(new Sphere());
    this.#fitCamera(sphere);
    this.#fitLight(sphere);
    return box;
  }

  #fitCamera({ center, radius }: Sphere): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const free =
      Math.min(width - this.#insets.right, (height - this.#insets.bottom - this.#insets.top) * 1.05) / height;
    const halfAngle = Math.atan(Math.tan((this.camera.fov * Math.PI) / 360) * free);
    const distance = (radius * 0.97) / Math.sin(halfAngle);
    this.camera.position.copy(VIEW_DIRECTION).multiplyScalar(distance).add(center);
    this.camera.near = distance / 100;
    this.camera.far = distance + radius * 30;
    this.camera.updateProjectionMatrix();
    this.controls.target.copy(center);
    this.controls.minDistance = radius * 0.4;
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
    this.onFrame?.();
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
    this.invalidate();
  }
}
