import { expect, it, vi } from 'vitest';
import { NSDFLoader } from '../../src/three/index.ts';
import { serveFields } from '../three/field-server.ts';

// React Three Fiber keeps one loader for all URLs and configures it before each: a setter that was called while an
// earlier file downloaded changed that file's mesh, too.
it('gives every load the settings of the moment it started', async () => {
  const { url, close } = await serveFields();
  const loader = new NSDFLoader();
  const [early, late] = [vi.fn(), vi.fn()];
  const first = loader.setTolerance(0.1).setProgress(early).loadAsync(`${url}/ball.nsdf`);
  const second = loader.setTolerance(0.02).setProgress(late).loadAsync(`${url}/ball.nsdf`);
  loader.setTolerance(0.5).setProgress(null);
  const [{ fields: coarse }, { fields: fine }] = await Promise.all([first, second]);
  expect(coarse[0].stats?.toleranceLocal).toBe(0.1);
  expect(fine[0].stats?.toleranceLocal).toBe(0.02);
  expect(early).toHaveBeenCalled();
  expect(late).toHaveBeenCalled();
  await close();
});
