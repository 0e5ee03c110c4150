import type { AssetContainer } from '@babylonjs/core/assetContainer.js';
import { LoadAssetContainerAsync } from '@babylonjs/core/Loading/sceneLoader.js';
import { RuntimeError } from '@babylonjs/core/Misc/error.js';
import { Logger } from '@babylonjs/core/Misc/logger.js';
import type { Node } from '@babylonjs/core/node.js';
import {
  type NSDFLevelEvent,
  type NSDFLodOptions,
  type NSDFObject,
  type NSDFPluginOptions,
  nsdfOf,
  registerNSDFLoader,
} from '../../../src/babylon/index.ts';
import { byId, formatSmall } from '../dom.ts';
import { acceptFiles } from '../drop.ts';
import { Messages } from '../messages.ts';
import { Panel } from '../panel.ts';
import { saveBlob } from '../save-blob.ts';
import { showStatistics } from '../statistics.ts';
import { type CountedField, sumStats, type Totals } from '../totals.ts';
import type { ViewerStatus } from '../viewer.ts';
import { Appearance } from './appearance.ts';
import { createEngine, type ViewEngine } from './engine.ts';
import { Ground } from './ground.ts';
import { exportGlb, exportUsdz } from './save.ts';
import { Stage } from './stage.ts';

/** How long a slider must rest before the mesh is derived again. */
const SETTLE_MS = 140;
/** What the title takes of a phone's screen, in CSS pixels. */
const HEADER_HEIGHT = 70;

/** The page in Babylon.js: what is loaded, how it is derived and drawn. Its public fields are what the tests look at. */
export class BabylonViewer {
  status: ViewerStatus = 'idle';
  /** What went wrong last, or null. */
  error: Error | null = null;
  totals: Totals | null = null;
  content: AssetContainer | null = null;
  readonly view: ViewEngine;
  readonly stage: Stage;
  readonly #appearance: Appearance;
  readonly #ground: Ground;
  readonly #messages = new Messages();
  readonly #panel: Panel;
  #fileName = '';
  #nBytes = 0;
  #job = new AbortController();
  #timer = 0;

  private constructor(canvas: HTMLCanvasElement, view: ViewEngine) {
    this.view = view;
    this.stage = new Stage(canvas, view);
    this.#appearance = new Appearance(this.stage.scene);
    this.#ground = new Ground(this.stage.scene);
    this.#panel = new Panel((what) => (what === 'view' ? this.#redraw() : this.#scheduleDerive()), {
      hasLod: true,
    });
    this.stage.onFrame = () => this.#followLevels();
    acceptFiles((file) => void this.openFile(file));
    byId('save-glb').addEventListener('click', () => void this.#save('glb'));
    byId('save-usdz').addEventListener('click', () => void this.#save('usdz'));
    addEventListener('resize', () => this.#fitPanel());
    this.#fitPanel();
  }

  static async create(wanted: string | null): Promise<BabylonViewer> {
    Logger.LogLevels = Logger.ErrorLogLevel;
    registerNSDFLoader();
    const canvas = byId<HTMLCanvasElement>('view');
    return new BabylonViewer(canvas, await createEngine(canvas, wanted));
  }

  /** The fields of what is shown; several stand for one geometry where nodes share a mesh. */
  get fields(): readonly NSDFObject[] {
    return (this.content?.meshes ?? []).map(nsdfOf).filter((field) => field !== null);
  }

  /** Downloads and shows a file. Never rejects: failures are shown. */
  async openUrl(url: string): Promise<void> {
    const fileName = decodeURIComponent(url.split(/[?#]/)[0].split('/').pop() ?? url);
    await this.#open(fileName, async () => url);
  }

  /** Shows a file from this computer: `.nsdf`, or `.safetensors`, which is converted first. */
  async openFile(file: File): Promise<void> {
    await this.#open(file.name, async () => {
      this.#nBytes = file.size;
      if (!file.name.endsWith('.safetensors')) return file;
      const [{ importSafetensors }, { writeNsdf }] = await Promise.all([
        import('../../../src/import/index.ts'),
        import('../../../src/index.ts'),
      ]);
      const name = file.name.replace(/\.safetensors$/, '');
      return writeNsdf(importSafetensors(await file.arrayBuffer(), { name }));
    });
  }

  async #open(fileName: string, getSource: () => Promise<string | File | Uint8Array>): Promise<void> {
    await this.#run('loading', `Opening ${fileName}`, async (signal) => {
      let note = 'neural field → mesh';
      const content = await LoadAssetContainerAsync(await getSource(), this.stage.scene, {
        pluginExtension: '.nsdf',
        onProgress: ({ loaded }) => {
          this.#nBytes = loaded;
        },
        pluginOptions: { nsdf: this.#loadOptions(signal, (copyright) => (note = copyright)) },
      });
      if (signal.aborted) return content.dispose();
      this.#fileName = fileName;
      this.#replaceContent(content);
      byId('file-name').textContent = fileName;
      byId('file-note').textContent = note;
    });
  }

  #loadOptions(signal: AbortSignal, onCopyright: (text: string) => void): NSDFPluginOptions {
    const { tolerance, ...settings } = this.#panel.state.derive;
    return {
      ...settings,
      // A field's own scale is known only once it is read; until the slider is moved its default is right.
      ...(tolerance !== undefined && !this.#panel.isAtDefaultTolerance && { tolerance }),
      ...(this.#lodOptions && { lod: this.#lodOptions }),
      signal,
      onProgress: ({ phase, stage, fraction }) =>
        this.#messages.progress(phase === 'download' ? 'downloading' : (stage ?? 'deriving'), fraction),
      gltf: {
        onParsed: ({ json }) => {
          const { copyright } = (json as { asset: { copyright?: string } }).asset;
          if (copyright) onCopyright(copyright);
        },
      },
    };
  }

  /** Levels of detail as the panel asks for them, or null. */
  get #lodOptions(): NSDFLodOptions | null {
    const { lod } = this.#panel.state;
    return lod && { ...lod, onLevel: (event) => this.#onLevel(event) };
  }

  /** Draws again, and counts anew what the meshes have now. */
  #onLevel({ what, error }: NSDFLevelEvent): void {
    if (what === 'failed') this.#messages.showError('Deriving', error as Error);
    else if (this.status === 'ready') this.#finish();
  }

  /** Says which levels are shown. */
  #followLevels(): void {
    if (!this.#panel.state.lod || !this.content) return;
    const names = this.fields.map(({ level, wantedLevel }) => {
      if (!level) return 'none yet';
      const waits = level !== wantedLevel && wantedLevel ? `, then ${wantedLevel.name}` : '';
      return `${level.name}${waits} · error ${formatSmall(level.errorLocal)}`;
    });
    this.#panel.showLevel(names.join('; '));
  }

  #replaceContent(content: AssetContainer): void {
    this.content?.dispose();
    content.addAllToScene();
    this.content = content;
    const tolerance = this.fields[0]?.stats.toleranceLocal;
    if (tolerance && this.#panel.isAtDefaultTolerance) this.#panel.setToleranceUnit(tolerance);
    const box = this.stage.frame(content.meshes);
    if (box) this.#ground.place(box.min, box.max, this.fields);
    else this.#ground.clear();
    this.#finish();
  }

  #scheduleDerive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#derive(), SETTLE_MS) as unknown as number;
  }

  async #derive(): Promise<void> {
    if (!this.content) return;
    await this.#run('deriving', 'Deriving', async (signal) => {
      // Meshes that share a geometry are derived together.
      const shared = new Map(this.fields.map((field) => [field.mesh.geometry, field]));
      const { derive: settings } = this.#panel.state;
      const lod = this.#lodOptions;
      if (lod) {
        await Promise.all([...shared.values()].map((field) => field.setLod(lod, settings)));
        return this.stage.invalidate();
      }
      const fractions = new Map<NSDFObject, number>();
      const derive = (field: NSDFObject) =>
        field.derive({
          ...settings,
          signal,
          onProgress: ({ stage, fraction }) => {
            fractions.set(field, fraction);
            const sum = [...fractions.values()].reduce((a, b) => a + b, 0);
            this.#messages.progress(stage, sum / shared.size);
          },
        });
      await Promise.all([...shared.values()].map(derive));
      this.#finish();
    });
  }

  /** Runs a task that replaces the one before it; shows its progress and its failure. */
  async #run(
    status: ViewerStatus,
    what: string,
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    // A derivation that waits for a slider to rest would take this task's place, and its message.
    clearTimeout(this.#timer);
    this.#job.abort(new DOMException('something newer was asked for', 'AbortError'));
    const job = new AbortController();
    this.#job = job;
    this.status = status;
    this.#messages.clearError();
    this.#messages.progress(what, 0);
    try {
      await task(job.signal);
      if (job.signal.aborted) return;
      this.error = null;
      this.status = 'ready';
    } catch (error) {
      if (job.signal.aborted) return;
      this.error = causeOf(error as Error);
      this.status = 'error';
      this.#messages.showError(what, this.error);
    } finally {
      if (this.#job === job) this.#messages.endProgress();
    }
  }

  /** After new geometry: totals, statistics, exports, picture. */
  #finish(): void {
    this.totals = sumStats(this.fields.map(countedField));
    showStatistics(this.totals, this.#nBytes, `Babylon.js, ${this.view.kind}`);
    for (const id of ['save-glb', 'save-usdz'])
      byId<HTMLButtonElement>(id).disabled = this.totals.nTriangles === 0;
    this.#messages.say(`${this.totals.nVertices} vertices, ${this.totals.nTriangles} triangles`);
    byId('view').classList.add('is-ready');
    this.#redraw();
  }

  #redraw(): void {
    const { shading, hasWireframe, isTurning } = this.#panel.state;
    this.#appearance.apply(this.content?.meshes ?? [], shading, hasWireframe);
    this.stage.isTurning = isTurning;
    this.stage.invalidate();
  }

  async #save(format: 'glb' | 'usdz'): Promise<void> {
    const { content } = this;
    if (!content) return;
    const loaded = new Set<Node>([
      ...content.meshes,
      ...content.transformNodes,
      ...content.lights,
      ...content.cameras,
    ]);
    const isContent = (node: Node): boolean => loaded.has(node);
    try {
      const blob = await this.#appearance.withOwnMaterials(content.meshes, this.#panel.state, () =>
        (format === 'glb' ? exportGlb : exportUsdz)(this.stage.scene, isContent),
      );
      saveBlob(blob, `${this.#fileName.replace(/\.[^.]+$/, '') || 'field'}.${format}`);
    } catch (error) {
      this.#messages.showError(`Saving ${format.toUpperCase()}`, error as Error);
    }
  }

  /** Tells the stage what the panel covers: a column on a desk, a sheet on a phone. */
  #fitPanel(): void {
    const panel = byId('panel');
    const isClosed = panel.classList.contains('is-closed');
    const { left, top, width } = panel.getBoundingClientRect();
    const isSheet = width > innerWidth * 0.8;
    const right = isSheet ? 0 : innerWidth - left;
    const bottom = isSheet && !isClosed ? innerHeight - top : 0;
    this.stage.setInsets({ right, bottom, top: isSheet ? HEADER_HEIGHT : 0 });
  }
}

/** What Babylon wraps in an error of its own. A failed download has a status that it does not name. */
function causeOf(error: Error): Error {
  const inner = error instanceof RuntimeError ? error.innerError : undefined;
  return inner ?? error;
}

function countedField({ stats, isEmpty, asset, mesh }: NSDFObject): CountedField {
  const surface = () => ({
    positions: mesh.getVerticesData('position') as Float32Array,
    normals: mesh.getVerticesData('normal') as Float32Array,
    indices: Uint32Array.from(mesh.getIndices() ?? []),
  });
  return { stats, isEmpty, asset, surface };
}
