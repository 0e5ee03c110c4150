import type { SurfaceMesh } from '../../src/index.ts';
import {
  detectSupport,
  NSDFGroup,
  NSDFLoader,
  type NSDFObject,
  type NSDFProgress,
  objectFromAsset,
} from '../../src/three/index.ts';
import { Appearance } from './appearance.ts';
import { byId, formatSmall } from './dom.ts';
import { acceptFiles } from './drop.ts';
import { Ground } from './ground.ts';
import { Messages } from './messages.ts';
import { Panel } from './panel.ts';
import { createRenderer, type ViewRenderer } from './renderer.ts';
import { exportGlb, exportUsdz } from './save.ts';
import { saveBlob } from './save-blob.ts';
import { Stage } from './stage.ts';
import { showStatistics } from './statistics.ts';
import { type CountedField, sumStats, type Totals } from './totals.ts';

/** How long a slider must rest before the mesh is derived again. */
const SETTLE_MS = 140;

/** What the title takes of a phone's screen, in CSS pixels. */
const HEADER_HEIGHT = 70;

export type ViewerStatus = 'idle' | 'loading' | 'deriving' | 'ready' | 'error';

/** The page: what is loaded, how it is derived and drawn. Its public fields are what the tests look at. */
export class Viewer {
  status: ViewerStatus = 'idle';
  /** What went wrong last, or null. */
  error: Error | null = null;
  totals: Totals | null = null;
  content: NSDFGroup | null = null;
  readonly view: ViewRenderer;
  readonly stage: Stage;
  readonly #loader = new NSDFLoader();
  readonly #appearance = new Appearance();
  readonly #ground = new Ground();
  readonly #messages = new Messages();
  readonly #panel: Panel;
  /** The geometry that the statistics are of, with levels of detail. */
  #shown = '';
  #fileName = '';
  #nBytes = 0;
  #job = new AbortController();
  #timer = 0;

  private constructor(canvas: HTMLCanvasElement, view: ViewRenderer) {
    this.view = view;
    this.stage = new Stage(canvas, view);
    this.stage.scene.add(this.#appearance.overlay, this.#ground.object);
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

  static async create(wanted: string | null): Promise<Viewer> {
    const canvas = byId<HTMLCanvasElement>('view');
    return new Viewer(canvas, await createRenderer(canvas, wanted));
  }

  /** Downloads and shows a file. Never rejects: failures are shown. */
  async openUrl(url: string): Promise<void> {
    const fileName = decodeURIComponent(url.split(/[?#]/)[0].split('/').pop() ?? url);
    await this.#open(fileName, async (signal) => {
      const onDownload = (event: ProgressEvent): void => {
        this.#nBytes = event.loaded;
      };
      return this.#configuredLoader().loadAsync(url, onDownload, { signal });
    });
  }

  /** Shows a file from this computer: `.nsdf`, or `.safetensors`, which is converted first. */
  async openFile(file: File): Promise<void> {
    await this.#open(file.name, async (signal) => {
      this.#nBytes = file.size;
      const bytes = await file.arrayBuffer();
      if (!file.name.endsWith('.safetensors')) return this.#configuredLoader().parseAsync(bytes, { signal });
      const { importSafetensors } = await import('../../src/import/index.ts');
      const asset = importSafetensors(bytes, { name: file.name.replace(/\.safetensors$/, '') });
      const onProgress = ({ fraction }: { fraction: number }): void =>
        this.#messages.progress('deriving', fraction);
      const { derive, lod } = this.#panel.state;
      const options = { ...derive, ...this.#shared, ...(lod && { lod }), signal, onProgress };
      return new NSDFGroup().add(await objectFromAsset(asset, options));
    });
  }

  /** The renderer's own GPU device, where it has one. */
  get #shared(): { readonly device?: GPUDevice } {
    const { device } = detectSupport(this.view.renderer);
    return device ? { device } : {};
  }

  #configuredLoader(): NSDFLoader {
    const { tolerance, resolution, exact, maxVertices, creaseAngle, backend } = this.#panel.state.derive;
    // A field's own scale is known only once it is read; until the slider is moved its default is right.
    const isDefault = this.#panel.isAtDefaultTolerance;
    this.#loader.setTolerance(isDefault ? null : (tolerance ?? null));
    if (resolution !== undefined) this.#loader.setResolution(resolution);
    if (exact) this.#loader.setExact();
    return this.#loader
      .setLod(this.#panel.state.lod ?? false)
      .setMaxVertices(maxVertices ?? null)
      .setCreaseAngle(creaseAngle ?? null)
      .setBackend(backend ?? 'auto')
      .setDevice(this.#shared.device ?? null)
      .setProgress((progress: NSDFProgress) => this.#showProgress(progress));
  }

  async #open(fileName: string, load: (signal: AbortSignal) => Promise<NSDFGroup>): Promise<void> {
    await this.#run('loading', `Opening ${fileName}`, async (signal) => {
      const content = await load(signal);
      this.#fileName = fileName;
      this.#replaceContent(content);
      byId('file-name').textContent = fileName;
      byId('file-note').textContent = content.copyright ?? 'neural field → mesh';
    });
  }

  #replaceContent(content: NSDFGroup): void {
    this.content?.dispose();
    this.stage.content.clear();
    this.stage.content.add(content);
    this.content = content;
    const tolerance = content.fields[0]?.stats?.toleranceLocal;
    if (tolerance && this.#panel.isAtDefaultTolerance) this.#panel.setToleranceUnit(tolerance);
    this.#ground.place(this.stage.frame(content), content);
    for (const field of content.fields) {
      field.addEventListener('levelready', () => this.stage.invalidate());
      field.addEventListener('error', ({ error }) => this.#messages.showError('Deriving', error as Error));
    }
    this.#finish();
  }

  /** Says which levels are shown, and counts anew where others are. */
  #followLevels(): void {
    if (!this.#panel.state.lod || !this.content) return;
    const names = this.content.fields.map(({ level, wantedLevel }) => {
      if (!level) return 'none yet';
      const waits = level !== wantedLevel && wantedLevel ? `, then ${wantedLevel.name}` : '';
      return `${level.name}${waits} · error ${formatSmall(level.errorLocal)}`;
    });
    this.#panel.showLevel(names.join('; '));
    const shown = this.content.fields.map(({ mesh }) => mesh?.geometry.uuid).join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#finish();
  }

  #scheduleDerive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#derive(), SETTLE_MS) as unknown as number;
  }

  async #derive(): Promise<void> {
    const { content } = this;
    if (!content) return;
    await this.#run('deriving', 'Deriving', async (signal) => {
      const { derive, lod } = this.#panel.state;
      if (lod) {
        await Promise.all(content.fields.map((field) => field.setLod(lod, { ...derive, ...this.#shared })));
        this.stage.invalidate();
        return;
      }
      const fractions = content.fields.map(() => 0);
      await Promise.all(
        content.fields.map((field, index) =>
          field.derive({
            ...derive,
            ...this.#shared,
            signal,
            onProgress: ({ stage, fraction }) => {
              fractions[index] = fraction;
              this.#messages.progress(stage, fractions.reduce((a, b) => a + b, 0) / fractions.length);
            },
          }),
        ),
      );
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
      this.error = error as Error;
      this.status = 'error';
      this.#messages.showError(what, this.error);
    } finally {
      if (this.#job === job) this.#messages.endProgress();
    }
  }

  /** After new geometry: totals, statistics, exports, picture. */
  #finish(): void {
    this.totals = sumStats((this.content?.fields ?? []).map(countedField));
    showStatistics(this.totals, this.#nBytes, this.view.kind);
    for (const id of ['save-glb', 'save-usdz'])
      byId<HTMLButtonElement>(id).disabled = this.totals.nTriangles === 0;
    this.#messages.say(`${this.totals.nVertices} vertices, ${this.totals.nTriangles} triangles`);
    byId('view').classList.add('is-ready');
    this.#redraw();
  }

  #redraw(): void {
    const { shading, hasWireframe, isTurning } = this.#panel.state;
    this.#appearance.apply(this.stage.content, shading, hasWireframe);
    this.stage.controls.autoRotate = isTurning;
    this.stage.invalidate();
  }

  #showProgress({ phase, stage, fraction }: NSDFProgress): void {
    this.#messages.progress(phase === 'download' ? 'downloading' : (stage ?? 'deriving'), fraction);
  }

  async #save(format: 'glb' | 'usdz'): Promise<void> {
    const { content } = this;
    if (!content) return;
    try {
      const { shading } = this.#panel.state;
      const blob = await this.#appearance.withOwnMaterials(content, shading, () =>
        format === 'glb' ? exportGlb(content) : exportUsdz(content),
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

function countedField({ stats, isEmpty, asset, geometry }: NSDFObject): CountedField {
  const surface = (): SurfaceMesh => ({
    positions: geometry?.getAttribute('position').array as Float32Array,
    normals: geometry?.getAttribute('normal').array as Float32Array,
    indices: Uint32Array.from(geometry?.index?.array ?? []),
  });
  return { stats, isEmpty, asset, surface };
}
