import { byId, formatBytes, formatCount, formatSmall, formatTime } from './dom.ts';
import { describeTerms } from './tips.ts';
import type { Totals } from './totals.ts';

type Row = readonly [term: string, value: string, more?: { quality?: 'good' | 'bad' | ''; tip?: string }];

/** What is shown: a rough picture until the mesh is there. */
export type Shown = 'preview' | 'mesh' | 'levels';

/** A derivation that was made on this page, for comparing. */
export interface Run {
  readonly totals: Totals;
  readonly asked: string;
}

/** Fills the statistics panel. */
export function showStatistics(totals: Totals, shown: Shown, nBytes: number, renderer: string): void {
  const rows: Row[] = [
    ['Shown', { preview: 'rough preview', mesh: 'final mesh', levels: 'level of detail' }[shown]],
    ...(totals.nFields > 1 ? ([['Fields', formatCount(totals.nFields)]] as Row[]) : []),
    ['Vertices', formatCount(totals.nVertices)],
    ['Triangles', formatCount(totals.nTriangles)],
    ...(shown === 'preview' ? [] : details(totals)),
    ...checks(totals),
    ['File', formatBytes(nBytes)],
    ['Renderer', renderer],
    ['Backend', totals.backend, { tip: 'backend' }],
    ['Cache', totals.cache, { tip: 'cache' }],
  ];
  byId('results').hidden = false;
  const list = byId('statistics');
  const notes = [totals.backendReason, totals.cacheReason].filter((text) => text !== '');
  list.replaceChildren(
    ...rows.flatMap(([term, value, { quality = '', tip } = {}]) => [
      termElement(term, tip),
      element('dd', value, quality),
    ]),
    ...notes.map((text) => element('dd', text, 'note')),
  );
  describeTerms(list);
  showTimes(totals);
}

/** Fills the list of runs, the last one first. */
export function showRuns(runs: readonly Run[]): void {
  const rows = runs.toReversed().map(({ totals, asked }) => {
    const row = document.createElement('tr');
    const cells = [
      `${totals.backend}${asked === totals.backend || asked === 'auto' ? '' : ` (asked: ${asked})`}`,
      formatTime(totals.totalTimeMs),
      formatCount(totals.nTriangles),
      totals.cache,
    ];
    row.append(...cells.map((text) => element('td', text)));
    return row;
  });
  byId('runs').replaceChildren(...rows);
}

function details(totals: Totals): Row[] {
  const { nBoxesTested, nBoxesSurviving, errorLocal, toleranceLocal, isWithinTolerance } = totals;
  const isKept = isWithinTolerance ?? errorLocal <= toleranceLocal;
  const kept = isKept ? 'good' : 'bad';
  return [
    ['Boxes tested', formatCount(nBoxesTested), { tip: 'boxes' }],
    ['with surface', formatCount(nBoxesSurviving)],
    ['Tolerance', toleranceLocal === 0 ? 'exact' : formatSmall(toleranceLocal), { tip: 'tolerance' }],
    ...(errorLocal >= 0
      ? ([
          [
            'Measured error',
            formatSmall(errorLocal),
            { quality: toleranceLocal === 0 ? '' : kept, tip: 'error' },
          ],
        ] as Row[])
      : []),
    ...(isWithinTolerance === null
      ? []
      : ([['Within tolerance', isWithinTolerance ? 'yes' : 'no', { quality: kept }]] as Row[])),
    ['Complete', totals.isComplete ? 'certified' : 'not certified', { tip: 'complete' }],
  ];
}

function checks({ isEmpty, isClosed, isManifold }: Totals): Row[] {
  if (isEmpty) return [['Surface', 'none: no zero set', { quality: 'bad' }]];
  return [
    ['Closed', isClosed ? 'yes' : 'no', { quality: isClosed ? 'good' : 'bad', tip: 'closed' }],
    ['Manifold', isManifold ? 'yes' : 'no', { quality: isManifold ? 'good' : 'bad', tip: 'manifold' }],
  ];
}

function showTimes({ timeMs, totalTimeMs }: Totals): void {
  const entries = Object.entries(timeMs).filter(([, time]) => time > 0);
  const longest = Math.max(1, ...entries.map(([, time]) => time));
  const rows = entries.flatMap(([stage, time]) => [
    element('span', stage),
    bar(time / longest, stage),
    element('span', formatTime(time)),
  ]);
  const total = [element('span', 'total'), element('span', ''), element('span', formatTime(totalTimeMs))];
  byId('times').replaceChildren(...rows, ...total);
}

function bar(fraction: number, stage: string): HTMLMeterElement {
  const meter = document.createElement('meter');
  meter.value = fraction;
  meter.setAttribute('aria-label', `share of ${stage}`);
  return meter;
}

function termElement(text: string, tip: string | undefined): HTMLElement {
  if (!tip) return element('dt', text);
  const term = element('button', text, 'term') as HTMLButtonElement;
  term.type = 'button';
  term.dataset.tip = tip;
  const cell = element('dt', '');
  cell.append(term);
  return cell;
}

function element(tag: string, text: string, className?: string): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}
