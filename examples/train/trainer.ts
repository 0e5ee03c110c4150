import { deriveMesh, type FieldAsset, readField } from '../../src/index.ts';
import { type TrainProgress, type TrainResult, type Triangles, trainField } from '../../src/train/index.ts';
import { byId, formatBytes, formatCount, formatSmall } from '../viewer/dom.ts';
import { acceptFiles } from '../viewer/drop.ts';
import { handOver } from '../viewer/handed-over.ts';
import { listenToKeys } from '../viewer/keys.ts';
import { Messages } from '../viewer/messages.ts';
import { saveBlob } from '../viewer/save-blob.ts';
import { Chart } from './chart.ts';
import { PageThread } from './page-thread.ts';
import type { TrainScene } from './scene.ts';
import { Settings } from './settings.ts';

/** Boxes along the longest side of pictures of a field in training: marching cubes, in about a tenth of a second. */
const PICTURE_BOXES = 64;
/** The first one is to be there soon. */
const FIRST_PICTURE_BOXES = 40;
/** Least time between two pictures; a slow one is followed by as much time without. */
const PICTURE_GAP_MS = 120;
/** From this share on, a training has a field that is worth a picture. */
const FIRST_PICTURE_AT = 0.02;
const HEADER_HEIGHT = 70;

export type TrainerStatus = 'empty' | 'reading' | 'ready' | 'training' | 'paused' | 'done' | 'error';

/** What is trained on. */
interface Source {
  readonly name: string;
  readonly mesh: Triangles;
}

/** What a training waits for while it rests. */
interface Rest {
  readonly promise: Promise<void>;
  readonly end: () => void;
}

/** The page: a mesh, a field that learns it, and what is seen of both. Tests look at its public fields. */
export class Trainer {
  status: TrainerStatus = 'empty';
  error: Error | null = null;
  /** How many surfaces of the field were shown since the training began. */
  nPictures = 0;
  /** Mean distance of the surface's vertices from the input, its own units; null before it is known. */
  surfaceError: number | null = null;
  readonly scene: TrainScene;
  readonly #thread = new PageThread();
  readonly #settings: Settings;
  readonly #chart = new Chart(byId<HTMLCanvasElement>('chart'));
  readonly #messages = new Messages(() => this.stop());
  readonly #sheet = matchMedia('(max-width: 720px)');
  #source: Source | null = null;
  #result: TrainResult | null = null;
  /** Of the surface that is shown. */
  #asset: FieldAsset | null = null;
  #job = new AbortController();
  #rest: Rest | null = null;
  #isDrawing = false;
  #nextPictureMs = 0;
  #progress: TrainProgress | null = null;

  constructor(scene: TrainScene) {
    this.scene = scene;
    this.#settings = new Settings((what) => {
      if (what === 'look') this.#showLook();
      if (what === 'mesh' && this.status === 'done') void this.#finishMesh();
    });
    acceptFiles((files) => void this.openFiles(files));
    for (const button of document.querySelectorAll<HTMLElement>('[data-sample]')) {
      button.addEventListener('click', () => void this.openSample(button.dataset.sample as string));
    }
    const on = (id: string, action: () => void): void => byId(id).addEventListener('click', action);
    document.querySelector('[data-open]')?.addEventListener('click', () => byId('open').click());
    on('start', () => this.toggle());
    on('train', () => this.toggle());
    on('restart', () => void this.start());
    on('reset', () => this.scene.reset());
    on('download', () => void this.download());
    on('view-it', () => this.openInViewer());
    on('help-open', () => byId<HTMLDialogElement>('help').showModal());
    on('panel-toggle', () => this.#togglePanel());
    listenToKeys({
      o: () => byId('open').click(),
      ' ': () => this.toggle(),
      h: () => this.#settings.press('heat'),
      d: () => byId('download').click(),
      v: () => byId('view-it').click(),
      r: () => this.scene.reset(),
      c: () => this.#togglePanel(),
      '?': () => byId('help-open').click(),
      Escape: () => this.stop(),
    });
    addEventListener('resize', () => this.#fitPanel());
    new ResizeObserver(() => this.#fitPanel()).observe(byId('panel'));
    byId('view').classList.add('is-ready');
    this.#fitPanel();
    this.#showStatus();
  }

  /** Reads a mesh and begins to train. */
  async openFiles(files: readonly File[]): Promise<void> {
    await this.#open(files[0].name, async (name) => {
      const read = files.map(async (file) => ({
        name: file.name,
        bytes: new Uint8Array(await file.arrayBuffer()),
      }));
      const named = await Promise.all(read);
      const mesh = await this.#thread.call(
        'read',
        named,
        named.map(({ bytes }) => bytes.buffer),
      );
      return { name, mesh };
    });
  }

  /** Takes one of the shapes that the page has with it. */
  async openSample(sample: string): Promise<void> {
    await this.#open(sample, async (name) => {
      if (sample === 'bunny') return this.#readBunny(name);
      return { name, mesh: await this.#thread.call('sample', sample) };
    });
  }

  /** Trains, stops or resumes, whichever comes next. */
  toggle(): void {
    if (this.status === 'training') this.stop();
    else if (this.status === 'paused') this.#resume();
    else void this.start(this.#result?.state);
  }

  /** Has the training rest: what is there can be saved, and it goes on from there. */
  stop(): void {
    if (this.status !== 'training') return;
    let end = (): void => {};
    const promise = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#rest = { promise, end };
    this.#setStatus('paused');
    this.#messages.endProgress();
    this.#messages.say('Stopped; it can be resumed', true);
  }

  /** Trains from the start, or from where another training ended. */
  async start(resume?: TrainResult['state']): Promise<void> {
    const source = this.#source;
    if (!source) return;
    const signal = this.#begin();
    const { steps = 1, ...train } = this.#settings.values.train;
    const isSameShape = JSON.stringify(resume?.shape.resolutions) === JSON.stringify(train.resolutions);
    const canResume = resume && isSameShape && String(resume.shape.hidden) === String(train.hidden);
    this.nPictures = 0;
    this.#nextPictureMs = 0;
    this.#chart.clear();
    this.#setStatus('training');
    try {
      const result = await trainField(source.mesh, {
        ...train,
        steps,
        name: source.name.replace(/\.[^.]+$/, ''),
        ...(canResume && { resume }),
        signal,
        onProgress: (progress) => this.#onProgress(progress, signal),
      });
      signal.throwIfAborted();
      this.#result = result;
      this.#messages.progress('Meshing', 1);
      await this.#finishMesh();
      signal.throwIfAborted();
      this.#setStatus('done');
      this.#showOutcome(result);
    } catch (error) {
      this.#fail('Training', error, signal);
    } finally {
      if (!signal.aborted) this.#messages.endProgress();
    }
  }

  /** Saves the field of the surface that is shown. */
  async download(): Promise<void> {
    const source = this.#source;
    if (!source || !this.#asset) return;
    try {
      const bytes = await this.#thread.call('pack', this.#asset);
      saveBlob(new Blob([bytes], { type: 'model/gltf-binary' }), fileNameOf(source));
      this.#messages.say(`${fileNameOf(source)}, ${formatBytes(bytes.length)}`, true);
    } catch (error) {
      this.#messages.showError('Saving', error as Error);
    }
  }

  /** Hands the field of the surface that is shown to the viewer, in a window of its own. */
  openInViewer(): void {
    const source = this.#source;
    if (!source || !this.#asset) return;
    const viewer = open('../?handed', '_blank');
    if (!viewer) {
      this.#messages.say('The browser did not let the viewer open', true);
      return;
    }
    const packed = this.#thread.call('pack', this.#asset);
    handOver(
      viewer,
      packed.then((bytes) => ({ name: fileNameOf(source), bytes })),
    );
  }

  async #open(name: string, read: (name: string) => Promise<Source>): Promise<void> {
    const signal = this.#begin();
    this.#setStatus('reading');
    this.#messages.progress(`Reading ${name}`, 0);
    try {
      const source = await read(name);
      signal.throwIfAborted();
      this.#source = source;
      this.#result = null;
      this.#asset = null;
      this.surfaceError = null;
      byId('mesh-name').textContent = source.name;
      const nTriangles = formatCount(source.mesh.indices.length / 3);
      byId('mesh-note').textContent = `${nTriangles} triangles`;
      document.title = `${source.name} · NSDF trainer`;
      this.scene.setInput(source.mesh);
      this.#setStatus('ready');
    } catch (error) {
      this.#fail(`Reading ${name}`, error, signal);
      return;
    }
    await this.start();
  }

  /** The viewer's bunny, which is a field already: what is trained on is its mesh. */
  async #readBunny(name: string): Promise<Source> {
    const response = await fetch('./assets/bunny.nsdf');
    const asset = await readField(await response.arrayBuffer());
    const { mesh } = await deriveMesh(asset, { cache: false });
    return { name, mesh: await this.#thread.call('take', mesh) };
  }

  /** Ends what is going on. @returns what ends what begins now. */
  #begin(): AbortSignal {
    this.#job.abort(new DOMException('something newer was asked for', 'AbortError'));
    this.#job = new AbortController();
    this.#rest = null;
    this.error = null;
    this.#messages.clearError();
    byId('outcome').hidden = true;
    return this.#job.signal;
  }

  #resume(): void {
    const rest = this.#rest;
    this.#rest = null;
    this.#setStatus('training');
    rest?.end();
  }

  #onProgress(progress: TrainProgress, signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) return undefined;
    if (this.#progress === null) requestAnimationFrame(() => this.#showProgress());
    this.#progress = progress;
    const { step, errorLocal, fraction, field } = progress;
    if (errorLocal !== undefined) this.#chart.add(step, errorLocal);
    const isDue = this.#rest !== null || performance.now() >= this.#nextPictureMs;
    if (isDue && !this.#isDrawing && fraction >= FIRST_PICTURE_AT && progress.stage !== 'measure') {
      const isFirst = this.nPictures === 0;
      const seen = new Promise<void>((done) => void this.#draw(field, signal, done));
      // The first surface has the processor to itself: samples are drawn when it is on screen.
      if (isFirst) return seen.then(() => this.#rest?.promise);
    }
    return this.#rest?.promise;
  }

  /** Shows the field as it is now. @param onSeen called when its surface is there, or is not to be. */
  async #draw(field: TrainProgress['field'], signal: AbortSignal, onSeen: () => void): Promise<void> {
    const startMs = performance.now();
    this.#isDrawing = true;
    try {
      const preview = this.nPictures === 0 ? FIRST_PICTURE_BOXES : PICTURE_BOXES;
      const asset = await field();
      // Both copy weights: each in a task of its own.
      await new Promise((done) => setTimeout(done));
      await this.#show(asset, { preview, cache: false, signal }, onSeen);
    } catch (error) {
      // The training itself tells of what ends it.
      if (!signal.aborted && (error as Error).name !== 'AbortError') this.#fail('Drawing', error, signal);
    } finally {
      onSeen();
      this.#isDrawing = false;
      const now = performance.now();
      this.#nextPictureMs = now + Math.max(PICTURE_GAP_MS, now - startMs);
    }
  }

  /** Derives the finished field as fine as the slider asks. */
  async #finishMesh(): Promise<void> {
    const result = this.#result;
    const { signal } = this.#job;
    if (!result) return;
    try {
      const tolerance = this.#settings.values.tolerance * this.scene.side;
      await this.#show(result.asset, { tolerance, cache: false, signal });
    } catch (error) {
      if ((error as Error).name !== 'AbortError') this.#fail('Deriving', error, signal);
    }
  }

  /** Shows a field's surface, then measures it. */
  async #show(
    asset: FieldAsset,
    options: Parameters<TrainScene['update']>[1],
    onSeen = (): void => {},
  ): Promise<void> {
    const { nTriangles } = await this.scene.update(asset, options);
    this.#asset = asset;
    this.nPictures++;
    onSeen();
    byId('triangles').textContent = formatCount(nTriangles);
    this.#showStatus();
    const positions = this.scene.surfacePoints();
    const { each, mean } = await this.#thread.call('distances', positions, [positions.buffer]);
    if (options.signal?.aborted || this.#asset !== asset) return;
    this.scene.paint(each);
    this.surfaceError = mean;
    byId('surface-error').textContent = `${formatSmall(mean)} mean`;
  }

  #fail(what: string, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.error = error as Error;
    this.#setStatus('error');
    this.#messages.endProgress();
    this.#messages.showError(what, this.error);
  }

  #setStatus(status: TrainerStatus): void {
    this.status = status;
    this.#showStatus();
  }

  #showStatus(): void {
    const { status } = this;
    const words: Partial<Record<TrainerStatus, string>> = {
      training: 'Stop',
      paused: 'Resume',
      done: 'Train on',
    };
    const isReady = this.#source !== null && status !== 'reading';
    for (const id of ['start', 'train']) byId<HTMLButtonElement>(id).disabled = !isReady;
    byId('start').textContent = words[status] ?? 'Train';
    byId('train-word').textContent = words[status] ?? 'Train';
    byId('train').classList.toggle('is-running', status === 'training');
    byId('restart').hidden = status !== 'paused' && status !== 'done';
    byId('welcome').hidden = status !== 'empty' && !(status === 'error' && this.#source === null);
    for (const id of ['download', 'view-it']) byId<HTMLButtonElement>(id).disabled = this.#asset === null;
    if (status === 'ready')
      for (const id of ['step', 'loss', 'surface-error', 'time-left', 'triangles'])
        byId(id).textContent = '–';
    this.#showLook();
  }

  #showProgress(): void {
    const progress = this.#progress as TrainProgress;
    this.#progress = null;
    const { stage, fraction, step, nSteps, errorLocal, secondsLeft } = progress;
    if (this.status === 'training' && stage !== 'measure') {
      const words = {
        prepare: 'Reading',
        sample: 'Sampling',
        train: 'Training',
        mend: 'Mending',
      };
      this.#messages.progress(words[stage], fraction);
    }
    byId('step').textContent = `${formatCount(step)} of ${formatCount(Math.max(step, nSteps))}`;
    if (errorLocal !== undefined) byId('loss').textContent = formatSmall(errorLocal);
    byId('time-left').textContent = secondsLeft === undefined ? '–' : `${Math.ceil(secondsLeft)} s`;
    this.#chart.draw(nSteps);
  }

  #showOutcome({ stats }: TrainResult): void {
    const { errorLocal, seconds, nComponents, nWorkers, mesh, nFarLeft, backend, backendReason } = stats;
    const slow = stats.kernelReason === undefined ? '' : ', in JavaScript';
    const threads = (nWorkers > 0 ? `${nWorkers} workers` : 'this thread') + slow;
    const where = backend === 'gpu' ? 'the GPU' : threads;
    const open =
      mesh && mesh.nOpenEdges > 0 ? `; the mesh has ${formatCount(mesh.nOpenEdges)} open edges` : '';
    const parts = `${nComponents} ${nComponents === 1 ? 'part' : 'parts'}`;
    const far = nFarLeft > 0 ? `, ${nFarLeft} of them false` : '';
    const outcome = byId('outcome');
    outcome.textContent = `Done in ${seconds.toFixed(1)} s on ${where}: ${formatSmall(errorLocal)} from the input, ${parts}${far}${open}.`;
    outcome.classList.toggle('good', nFarLeft === 0);
    outcome.title = backendReason;
    outcome.hidden = false;
    byId('time-left').textContent = '–';
    this.#messages.say(outcome.textContent);
  }

  #showLook(): void {
    const { shown, isHot } = this.#settings.values;
    this.scene.show(shown, isHot);
    byId('legend').hidden = !isHot || !this.scene.hasResult || shown === 'input';
    const [least, most] = this.scene.heatRange;
    byId('legend-least').textContent = formatSmall(least);
    byId('legend-most').textContent = formatSmall(most);
  }

  #togglePanel(): void {
    const isClosed = byId('panel').classList.toggle('is-closed');
    byId('panel-toggle').setAttribute('aria-expanded', String(!isClosed));
    this.#fitPanel();
  }

  /** Tells scene and page what the controls cover: a column on a desk, a sheet over the tools on a phone. */
  #fitPanel(): void {
    const panel = byId('panel');
    const isOpen = !panel.classList.contains('is-closed');
    const isSheet = this.#sheet.matches;
    const right = isOpen && !isSheet ? panel.offsetWidth + 16 : 0;
    const bottom = isSheet ? byId('tools').offsetHeight + (isOpen ? panel.offsetHeight : 0) : 0;
    document.documentElement.style.setProperty('--right', `${right}px`);
    this.scene.setInsets({ right, bottom, top: isSheet ? HEADER_HEIGHT : 0 });
  }
}

function fileNameOf({ name }: Source): string {
  return `${name.replace(/\.[^.]+$/, '')}.nsdf`;
}
