import { byId, formatBytes, formatCount, formatTime } from './dom.ts';
import type { Totals } from './totals.ts';

type Row = readonly [term: string, value: string, quality?: 'good' | 'bad'];

/** Fills the statistics panel. */
export function showStatistics(totals: Totals, nBytes: number, renderer: string): void {
  const rows: Row[] = [
    ...(totals.nFields > 1 ? ([['Fields', formatCount(totals.nFields)]] as Row[]) : []),
    ['Vertices', formatCount(totals.nVertices)],
    ['Triangles', formatCount(totals.nTriangles)],
    ['Boxes tested', formatCount(totals.nBoxesTested)],
    ['with surface', formatCount(totals.nBoxesSurviving)],
    ['File', formatBytes(nBytes)],
    ...checks(totals),
    ['Renderer', renderer],
    ['Backend', totals.backend],
  ];
  byId('results').hidden = false;
  const list = byId('statistics');
  list.replaceChildren(
    ...rows.flatMap(([term, value, quality]) => [element('dt', term), element('dd', value, quality)]),
    element('dd', totals.backendReason, 'note'),
  );
  showTimes(totals);
}

function checks({ isEmpty, isClosed, isManifold }: Totals): Row[] {
  if (isEmpty) return [['Surface', 'none: no zero set', 'bad']];
  return [
    ['Closed', isClosed ? 'yes' : 'no', isClosed ? 'good' : 'bad'],
    ['Manifold', isManifold ? 'yes' : 'no', isManifold ? 'good' : 'bad'],
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

function element(tag: string, text: string, className?: string): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}
