// What the size budget counts: an application that registers the Babylon.js plugin and has loaded nothing yet.
import { registerNSDFLoader } from '../dist/babylon.js';

registerNSDFLoader();
