import type { FieldAsset } from '../../src/index.ts';
import { byId, formatSmall } from './dom.ts';
import { acceptFiles } from './drop.ts';
import { receiveFile } from './handed-over.ts';
import { listenToKeys } from './keys.ts';
import { Messages } from './messages.ts';
import { Panel } from './panel.ts';
import { Probe } from './probe.ts';
import { saveBlob } from './save-blob.ts';
import { cutFields } from './slice.ts';
import { type Box, type DeriveRequest, type Pose, type SaveFormat, type Stage, whenDrawn } from './stage.ts';
import { type Run, type Shown, showRuns, showStatistics } from './statistics.ts';
import { explainTerms } from './tips.ts';
import { sumStats, type Totals } from './totals.ts';

/** How long a slider must rest before the mesh is derived again. */
const SETTLE_MS = 140;
/** Boxes along the longest axis of the first picture. */
const PREVIEW_RESOLUTION = 48;
/** How long the mesh waits at most for its preview to be on screen: compiling the first shaders in software takes seconds. */
const PREVIEW_AT_MOST_MS = 10_000;
const N_RUNS = 5;
/** What the title takes of a phone's screen, in CSS pixels. */
const HEADER_HEIGHT = 70;
const sampleUrl = (name: string): string => `/assets/${name}.nsdf`;
const DEFAULT_SOURCE = sampleUrl('bunny');

export type ViewerStatus = 'idle' | 'loading' | 'deriving' | 'ready' | 'error';

/** The page: what is loaded, how it is derived and looked at, in either engine. Tests look at its public fields. */
export class Viewer<S extends Stage = Stage> {
  status: ViewerStatus = 'idle';
  /** What went wrong last, or null. */
  error: Error | null = null;
  totals: Totals | null = null;
  /** What is on screen; null for nothing. */
  shown: Shown | null = null;
  /** How many loads and derivations were begun: a quick one is over before its status is seen. */
  nTasks = 0;
  readonly stage: S;
  readonly #panel: Panel;
  readonly #probe: Probe;
  readonly #messages = new Messages(() => this.cancel());
  readonly #sheet = matchMedia('(max-width: 720px)');
  readonly #runs: Run[] = [];
  /** Where the file can be had again, or null for one from this computer. */
  #source: string | null = null;
  #fileName = '';
  #nBytes = 0;
  #box: Box | null = null;
  #levels = '';
  #job = new AbortController();
  #timer = 0;

  constructor(stage: S) {
    this.stage = stage;
    this.#probe = new Probe(stage, byId('view'));
    this.#panel = new Panel((what, control) => {
      this.#remember();
      if (what === 'derive') this.#scheduleDerive(control === 'backend' ? { cache: false } : {});
      else if (what === 'look') this.#redraw();
      else this.#inspect();
    });
    stage.onFrame = () => this.#followLevels();
    stage.onLevel = (error) => this.#onLevel(error);
    explainTerms();
    acceptFiles(([file]) => void this.openFile(file));
    this.#wireButtons();
    listenToKeys({
      o: () => byId('open').click(),
      r: () => this.resetView(),
      f: () => byId('fullscreen').click(),
      c: () => this.togglePanel(),
      d: () => void this.#derive({ cache: false }),
      w: () => this.#panel.change('wireframe', null),
      n: () =>
        this.#panel.change('shading', this.#panel.state.look.shading === 'normals' ? 'shaded' : 'normals'),
      p: () => this.#panel.change('probing', null),
      l: () => byId('share').click(),
      '?': () => byId('help-open').click(),
      Escape: () => this.cancel(),
    });
    addEventListener('resize', () => this.#fitPanel());
    new ResizeObserver(() => this.#fitPanel()).observe(byId('panel'));
    this.#redraw();
  }

  /** Opens what the page's address asks for, as it asks for it. */
  async start(query: URLSearchParams): Promise<void> {
    this.#panel.restore(query);
    this.#redraw();
    const handed = query.has('handed') ? await receiveFile() : null;
    if (handed) return this.openFile(handed);
    await this.openUrl(query.get('src') ?? DEFAULT_SOURCE, poseOf(query.get('camera')));
  }

  /** Downloads and shows a file. Never rejects: failures are shown. */
  async openUrl(url: string, pose: Pose | null = null): Promise<void> {
    await this.#open(nameOf(url), async () => url, pose);
  }

  /** Shows a file from this computer: `.nsdf`, or `.safetensors`, which is converted first. */
  async openFile(file: File): Promise<void> {
    await this.#open(file.name, async () => {
      this.#nBytes = file.size;
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (!file.name.endsWith('.safetensors')) return bytes;
      const [{ importSafetensors }, { writeNsdf }] = await Promise.all([
        import('../../src/import/index.ts'),
        import('../../src/index.ts'),
      ]);
      return writeNsdf(importSafetensors(bytes, { name: file.name.replace(/\.safetensors$/, '') }));
    });
  }

  /** Ends what is loading or being derived; what is shown stays. */
  cancel(): void {
    if (this.status !== 'loading' && this.status !== 'deriving') return;
    this.#job.abort(new DOMException('cancelled by hand', 'AbortError'));
    this.status = this.shown === null ? 'idle' : 'ready';
    this.#messages.endProgress();
    this.#messages.say(this.shown === 'preview' ? 'Cancelled; the rough preview stays' : 'Cancelled', true);
  }

  /** Puts the camera back to where it first was. */
  resetView(): void {
    this.stage.frame();
  }

  /** Shows or hides the controls. */
  togglePanel(): void {
    const isClosed = byId('panel').classList.toggle('is-closed');
    byId('panel-toggle').setAttribute('aria-expanded', String(!isClosed));
    this.#fitPanel();
  }

  /** A rough picture first, then the mesh. */
  async #open(
    fileName: string,
    getSource: () => Promise<string | Uint8Array>,
    pose: Pose | null = null,
  ): Promise<void> {
    await this.#run('loading', `Opening ${fileName}`, async (signal) => {
      const source = await getSource();
      const { derive, lod } = this.#panel.state;
      const { copyright } = await this.stage.load(source, {
        settings: lod ? derive : { preview: PREVIEW_RESOLUTION, cache: false },
        lod,
        signal,
        onProgress: (what, fraction) => this.#messages.progress(what, fraction),
        onDownload: (nBytes) => {
          this.#nBytes = nBytes;
        },
        onPreview: () => this.#redraw(),
      });
      signal.throwIfAborted();
      this.#showName(fileName, copyright, typeof source === 'string' ? source : null);
      const asset = this.stage.fields[0]?.asset;
      if (asset) this.#panel.setToleranceUnit(defaultTolerance(asset));
      this.#box = this.stage.frame();
      if (pose) this.stage.setPose(pose);
      this.stage.placeGround();
      this.#finish(lod ? 'levels' : 'preview');
      if (lod) return;
      await whenDrawn(this.stage, PREVIEW_AT_MOST_MS);
      signal.throwIfAborted();
      this.status = 'deriving';
      // Read anew: a slider stands for a multiple of the field's own tolerance, which was not known before.
      await this.#deriveNow(this.#panel.state.derive, signal);
    });
  }

  #showName(fileName: string, copyright: string | null, source: string | null): void {
    this.#fileName = fileName;
    this.#source = source;
    this.#runs.length = 0;
    const samples = byId<HTMLSelectElement>('sample');
    const sample = [...samples.options].find(({ value }) => value !== '' && sampleUrl(value) === source);
    samples.value = sample?.value ?? '';
    document.title = `${fileName} · NSDF viewer`;
    byId('file-name').textContent = fileName;
    byId('file-note').textContent = copyright ?? 'neural field → mesh';
    this.#remember();
  }

  #scheduleDerive(request: DeriveRequest): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#derive(request), SETTLE_MS) as unknown as number;
  }

  /** @param request what it adds to what the panel asks for. */
  async #derive(request: DeriveRequest): Promise<void> {
    if (this.stage.fields.length === 0) return;
    await this.#run('deriving', 'Deriving', async (signal) => {
      const { derive, lod } = this.#panel.state;
      if (!lod) return this.#deriveNow({ ...derive, ...request }, signal);
      await this.stage.setLod(lod, { ...derive, ...request });
      this.#finish('levels');
    });
  }

  async #deriveNow(request: DeriveRequest, signal: AbortSignal): Promise<void> {
    await this.stage.derive({ ...request, signal }, (stage, fraction) =>
      this.#messages.progress(stage, fraction),
    );
    signal.throwIfAborted();
    this.#finish('mesh');
    this.#runs.push({ totals: this.totals as Totals, asked: request.backend ?? 'auto' });
    if (this.#runs.length > N_RUNS) this.#runs.shift();
    showRuns(this.#runs);
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
    this.nTasks++;
    this.status = status;
    this.#messages.clearError();
    this.#messages.say(what);
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
  #finish(shown: Shown): void {
    const { stage } = this;
    this.shown = shown;
    this.#levels = levelsOf(stage);
    this.totals = sumStats(stage.fields);
    showStatistics(this.totals, shown, this.#nBytes, `${stage.engine}, ${stage.kind}`);
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-format]')) {
      button.disabled = this.totals.nTriangles === 0;
    }
    this.#messages.say(`${this.totals.nVertices} vertices, ${this.totals.nTriangles} triangles`);
    byId<HTMLButtonElement>('again').disabled = false;
    this.#redraw();
    this.#inspect();
  }

  #redraw(): void {
    this.stage.apply(this.#panel.state.look);
    byId('view').classList.add('is-ready');
  }

  #inspect(): void {
    const { slice, isProbing } = this.#panel.state;
    const fields = this.stage.fields.filter((field) => field.asset !== null && !field.isEmpty);
    const isCut = slice && this.#box && fields.length > 0;
    const cut = isCut ? cutFields(fields, this.#box as Box, slice) : null;
    if (cut || this.#probe.slice) this.stage.setSlice(cut);
    this.#probe.slice = cut;
    this.#probe.isOn = isProbing && fields.length > 0;
  }

  #onLevel(error: Error | null): void {
    if (error) this.#messages.showError('Deriving', error);
    else this.stage.invalidate();
  }

  /** Says which levels are shown, and counts anew where others are. */
  #followLevels(): void {
    if (this.shown !== 'levels') return;
    const names = this.stage.fields.map(({ level, wantedLevel }) => {
      if (!level) return 'none yet';
      const waits = level !== wantedLevel && wantedLevel ? `, then ${wantedLevel.name}` : '';
      return `${level.name}${waits} · error ${formatSmall(level.errorLocal)}`;
    });
    this.#panel.showLevel(names.join('; '));
    if (levelsOf(this.stage) !== this.#levels) this.#finish('levels');
  }

  #wireButtons(): void {
    const on = (id: string, action: () => void): void => byId(id).addEventListener('click', action);
    on('panel-toggle', () => this.togglePanel());
    on('reset', () => this.resetView());
    on('again', () => void this.#derive({ cache: false }));
    on('share', () => void this.#share());
    on('help-open', () => byId<HTMLDialogElement>('help').showModal());
    byId('fullscreen').hidden = !document.fullscreenEnabled;
    on('fullscreen', () => {
      if (document.fullscreenElement) void document.exitFullscreen();
      else void document.documentElement.requestFullscreen().catch(() => {}); // a browser may refuse
    });
    byId<HTMLSelectElement>('sample').addEventListener('change', ({ currentTarget }) => {
      void this.openUrl(sampleUrl((currentTarget as HTMLSelectElement).value));
    });
    byId<HTMLFormElement>('address').addEventListener('submit', (event) => {
      event.preventDefault();
      const url = byId<HTMLInputElement>('url').value.trim();
      if (url) void this.openUrl(url);
    });
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-format]')) {
      const format = button.dataset.format as SaveFormat;
      button.hidden = !this.stage.formats.includes(format);
      button.addEventListener('click', () => void this.#save(format));
    }
    for (const link of document.querySelectorAll<HTMLAnchorElement>('#engines a')) {
      link.addEventListener('click', () => {
        link.href = this.#link(link.dataset.engine as string, this.stage.getPose());
      });
    }
  }

  /** As the page's address names it. */
  get #engine(): string {
    return this.stage.engine === 'three.js' ? 'three' : 'babylon';
  }

  /** The page's address with everything that is set. */
  #link(engine: string, pose: Pose | null): string {
    const query = new URLSearchParams({ engine });
    const current = new URLSearchParams(location.search);
    // Until something is there, what was asked for stays in the address.
    const source = this.#fileName === '' ? current.get('src') : this.#source;
    if (source !== null && source !== DEFAULT_SOURCE) query.set('src', source);
    const renderer = current.get('renderer');
    if (renderer) query.set('renderer', renderer);
    for (const [name, value] of this.#panel.changes) query.set(name, value);
    if (pose) query.set('camera', [...pose.position, ...pose.target].map((x) => x.toPrecision(4)).join(','));
    return `?${query}`;
  }

  /** Keeps the address and the links to the engines up to date. */
  #remember(): void {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('#engines a')) {
      link.href = this.#link(link.dataset.engine as string, null);
    }
    history.replaceState(null, '', this.#link(this.#engine, null));
  }

  async #share(): Promise<void> {
    history.replaceState(null, '', this.#link(this.#engine, this.stage.getPose()));
    const what =
      this.#source === null ? 'Link copied; the file itself stays on your computer' : 'Link copied';
    try {
      await navigator.clipboard.writeText(location.href);
      this.#messages.say(what, true);
    } catch {
      this.#messages.say('The link is in the address bar', true);
    }
  }

  async #save(format: SaveFormat): Promise<void> {
    try {
      const blob = await this.stage.save(format);
      saveBlob(blob, `${this.#fileName.replace(/\.[^.]+$/, '') || 'field'}.${format}`);
    } catch (error) {
      this.#messages.showError(`Saving ${format.toUpperCase()}`, error as Error);
    }
  }

  /** Tells stage and page what the controls cover: a column on a desk, a sheet over the tools on a phone. */
  #fitPanel(): void {
    // What a transition moves meanwhile has its size already.
    const panel = byId('panel');
    const isOpen = !panel.classList.contains('is-closed');
    const isSheet = this.#sheet.matches;
    const tools = byId('tools').offsetHeight;
    const right = isOpen && !isSheet ? panel.offsetWidth + 16 : 0;
    const bottom = isSheet ? tools + (isOpen ? panel.offsetHeight : 0) : 0;
    document.documentElement.style.setProperty('--right', `${right}px`);
    this.stage.setInsets({ right, bottom, top: isSheet ? HEADER_HEIGHT : 0 });
  }
}

/** The last part of an address, as a person would write it. */
function nameOf(url: string): string {
  const name = url.split(/[?#]/)[0].split('/').pop() || url;
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // not every % is an escape
  }
}

/** The tolerance that a derivation takes by itself; see `DeriveOptions.tolerance`. */
function defaultTolerance({ tolerance, domain: { min, max } }: FieldAsset): number {
  return tolerance ?? Math.hypot(...max.map((value, i) => value - min[i])) / 3464;
}

/** Which levels are shown, in a word. */
function levelsOf({ fields }: Stage): string {
  return fields.map(({ level, stats }) => `${level?.name} ${stats?.nTriangles}`).join();
}

function poseOf(text: string | null): Pose | null {
  const numbers = (text ?? '').split(',').map(Number);
  if (numbers.length !== 6 || !numbers.every(Number.isFinite)) return null;
  const [px, py, pz, tx, ty, tz] = numbers;
  return { position: [px, py, pz], target: [tx, ty, tz] };
}
