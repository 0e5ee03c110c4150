import type {
  DeriveOptions,
  DeriveStage,
  DeriveStats,
  FieldAsset,
  PartitionCache,
  SurfaceMesh,
} from '../../src/index.ts';

/** What the viewer asks of an engine. All points and boxes are in glTF's right-handed world, whatever the engine's is. */
export interface Stage {
  readonly engine: 'three.js' | 'Babylon.js';
  readonly kind: 'webgpu' | 'webgl';
  readonly formats: readonly SaveFormat[];
  /** Frames in which everything was there to be drawn. */
  readonly nFrames: number;
  /** Every field that is shown; several may stand for one geometry. */
  readonly fields: readonly ViewField[];
  /** Called after every frame. */
  onFrame: () => void;
  /** Called when a level of detail came or went, or failed. */
  onLevel: (error: Error | null) => void;
  /** Loads a file and puts it in place of what is shown; what fails or is aborted changes nothing. */
  load(source: string | Uint8Array, options: LoadOptions): Promise<{ readonly copyright: string | null }>;
  /** Derives every field anew, in place. */
  derive(options: DeriveRequest, onProgress: (stage: DeriveStage, fraction: number) => void): Promise<void>;
  setLod(lod: LodRequest, settings: DeriveRequest): Promise<void>;
  /** Draws what is shown in another way; to be called again when geometry was replaced. */
  apply(look: Look): void;
  /** Fits the camera to what is shown. @returns its box, or null where there is nothing. */
  frame(): Box | null;
  /** Lays the ground below what is shown. */
  placeGround(): void;
  getPose(): Pose;
  setPose(pose: Pose): void;
  /** The ray through a point of the canvas in CSS pixels, and where it meets the meshes, near to far. */
  pick(x: number, y: number): Ray;
  setSlice(slice: Slice | null): void;
  save(format: SaveFormat): Promise<Blob>;
  setInsets(insets: Insets): void;
  resize(): void;
  invalidate(): void;
}

export type Point = readonly [x: number, y: number, z: number];
export type SaveFormat = 'glb' | 'usdz' | 'stl' | 'obj' | 'ply';
export type Shading = 'shaded' | 'normals' | 'level';
export type Background = 'studio' | 'light' | 'dark';
export type LodRequest = { readonly screenError: number };
export type DeriveRequest = Pick<
  DeriveOptions,
  'tolerance' | 'resolution' | 'exact' | 'preview' | 'maxVertices' | 'creaseAngle'
> & {
  readonly backend?: 'auto' | 'gpu' | 'worker' | 'cpu';
  readonly cache?: PartitionCache | false;
  readonly signal?: AbortSignal;
};

export interface LoadOptions {
  readonly settings: DeriveRequest;
  readonly lod: LodRequest | null;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string, fraction: number) => void;
  readonly onDownload: (nBytes: number) => void;
  /** Something of the file can be seen before it is there. */
  readonly onPreview: () => void;
}

export interface Look {
  readonly shading: Shading;
  readonly hasWireframe: boolean;
  readonly isTurning: boolean;
  readonly background: Background;
  readonly environment: string;
}

export interface Pose {
  readonly position: Point;
  readonly target: Point;
}

export interface Box {
  readonly min: Point;
  readonly max: Point;
}

export interface Ray {
  readonly origin: Point;
  /** Of length 1. */
  readonly direction: Point;
  readonly hits: readonly number[];
}

/** A plane at which what is shown is cut: what has more than `at` on `axis` goes. */
export interface Slice {
  readonly axis: 0 | 1 | 2;
  readonly at: number;
  /** Of the picture on the plane: at texture coordinates (0, 0), (1, 0), (1, 1), (0, 1). */
  readonly corners: readonly [Point, Point, Point, Point];
  /** RGBA, `size`² texels, rows by ascending v. */
  readonly rgba: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

/** Space that panel, title and tools cover, in CSS pixels. */
export interface Insets {
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

/** What the viewer reads of a level of detail. */
export interface ViewLevel {
  readonly name: string;
  readonly errorLocal: number;
}

/** A field that is shown, of either engine. */
export interface ViewField {
  readonly stats: DeriveStats | null;
  readonly isEmpty: boolean;
  readonly asset: FieldAsset | null;
  readonly level: ViewLevel | null;
  readonly wantedLevel: ViewLevel | null;
  readonly ladder: readonly ViewLevel[];
  surface(): SurfaceMesh;
  sampleWorld(points: ArrayLike<number>): {
    readonly distances: Float32Array;
    readonly gradients: Float32Array;
  };
}

/** Colours of the levels of detail, coarse to fine; a preview, which is no level, is grey. */
const LEVEL_COLORS = ['#d7263d', '#f46036', '#f4c430', '#5fb760', '#2ca6a4', '#3f6fd8', '#8a56c9'] as const;

export function levelColor({ level, ladder }: Pick<ViewField, 'level' | 'ladder'>): string {
  const index = level ? ladder.indexOf(level) : -1;
  return LEVEL_COLORS[index] ?? (index < 0 ? '#9aa1ab' : (LEVEL_COLORS.at(-1) as string));
}

/** Waits until what was changed last is on screen: for as long as shaders may take to compile, and not where the page is hidden, which draws nothing. */
export async function whenDrawn(stage: Pick<Stage, 'nFrames'>, atMostMs: number): Promise<void> {
  if (document.hidden) return;
  const nBefore = stage.nFrames;
  const waiting = new AbortController();
  const { signal } = waiting;
  const drawn = async (): Promise<void> => {
    while (!signal.aborted && stage.nFrames === nBefore) await new Promise(requestAnimationFrame);
    // Beyond the frame, so that the browser shows it before anything else takes the thread.
    await new Promise((done) => setTimeout(done));
  };
  const hidden = new Promise((done) =>
    document.addEventListener('visibilitychange', done, { once: true, signal }),
  );
  await Promise.race([drawn(), hidden, new Promise((done) => setTimeout(done, atMostMs))]);
  waiting.abort();
}
