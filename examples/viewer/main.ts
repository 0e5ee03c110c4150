import { byId } from './dom.ts';
import type { Stage } from './stage.ts';
import { Viewer } from './viewer.ts';

const query = new URLSearchParams(location.search);
const engine = query.get('engine') === 'babylon' ? 'babylon' : 'three';
document.querySelector(`#engines [data-engine=${engine}]`)?.setAttribute('aria-current', 'page');
const viewer = new Viewer(await createStage(byId<HTMLCanvasElement>('view')));
// For the tests, and for whoever opens the console.
Object.assign(globalThis, { __viewer: viewer });
await viewer.start(query);

/** Only the engine that is asked for is fetched. */
async function createStage(canvas: HTMLCanvasElement): Promise<Stage> {
  const renderer = query.get('renderer');
  if (engine === 'babylon') {
    const { BabylonStage } = await import('./babylon/stage.ts');
    return BabylonStage.create(canvas, renderer);
  }
  const { ThreeStage } = await import('./three/stage.ts');
  return ThreeStage.create(canvas, renderer);
}
