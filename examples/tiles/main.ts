import { levelOf, shownTiles, type TilesView } from './tiles-view.ts';

const query = new URLSearchParams(location.search);
const engine = query.get('engine') === 'babylon' ? 'babylon' : 'three';
const tileset = query.get('tileset') === 'many' ? 'many' : 'field';
const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

const { createView } =
  engine === 'babylon' ? await import('./babylon-view.ts') : await import('./three-view.ts');
const view: TilesView = createView(element<HTMLCanvasElement>('view'), `/tilesets/${tileset}/tileset.json`);
view.look([0, 0, 0], tileset === 'many' ? 20 : 6);
keepLinks();
bindTarget(view);
view.tiles.addEventListener('load-error', ({ error, url }) => {
  element('problem').textContent = `${url}: ${error.message}`;
});
setInterval(() => showStatus(view), 250);
// For the tests, and for whoever opens the console.
Object.assign(globalThis, { __tiles: { ...view, shown: () => shownTiles(view.tiles) } });

/** A link changes one of the two choices and keeps the other. */
function keepLinks(): void {
  for (const link of document.querySelectorAll('a')) {
    const merged = new URLSearchParams({
      engine,
      tileset,
      ...Object.fromEntries(new URL(link.href).searchParams),
    });
    link.search = merged.toString();
  }
}

function bindTarget({ tiles }: TilesView): void {
  const input = element<HTMLInputElement>('target');
  const apply = (): void => {
    tiles.errorTarget = Number(input.value);
    element('target-shown').textContent = `${input.value} px`;
  };
  input.value = query.get('target') ?? '2';
  input.addEventListener('input', apply);
  apply();
}

function showStatus({ tiles, countTriangles }: TilesView): void {
  const shown = shownTiles(tiles);
  const levels = new Map<number, number>();
  for (const address of shown) levels.set(levelOf(address), (levels.get(levelOf(address)) ?? 0) + 1);
  const parts = [...levels].sort().map(([level, n]) => `${n} of level ${level}`);
  element('status').textContent = `${parts.join(', ') || 'loading'}; ${countTriangles()} triangles`;
}
