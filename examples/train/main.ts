import { byId } from '../viewer/dom.ts';
import { TrainScene } from './scene.ts';
import { Trainer } from './trainer.ts';

const query = new URLSearchParams(location.search);
const scene = await TrainScene.create(byId<HTMLCanvasElement>('view'), query.get('renderer'));
const trainer = new Trainer(scene);
// For the tests, and for whoever opens the console.
Object.assign(globalThis, { __trainer: trainer });
const sample = query.get('sample');
if (sample) await trainer.openSample(sample);
