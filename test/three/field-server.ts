import { LoadingManager } from 'three';
import { writeNsdf } from '../../src/format/write.ts';
import { sphereField } from '../fixtures/fields.ts';
import { serve, type TestServer } from './serve.ts';

/** Some milliseconds at the default tolerance. */
export const BALL = writeNsdf({ ...sphereField({ cells: [4] }), name: 'ball' });
/** Seconds at a tolerance of 1e-5: to be caught at work. */
export const SPHERE = writeNsdf(sphereField());

/** Serves the ball as /ball.nsdf, the sphere as /sphere.nsdf, garbage as /bad.nsdf; /slow.nsdf never ends. */
export function serveFields(): Promise<TestServer> {
  return serve((request, response) => {
    const files: Record<string, Uint8Array> = { '/ball.nsdf': BALL, '/sphere.nsdf': SPHERE };
    const path = new URL(request.url ?? '', 'http://x').pathname;
    if (path === '/slow.nsdf') response.writeHead(200, { 'Content-Length': 9999 }).write('glTF');
    else if (path === '/bad.nsdf') response.end('not a field at all');
    else if (files[path]) response.setHeader('Content-Length', files[path].length).end(files[path]);
    else response.writeHead(404).end();
  });
}

/** A manager that writes down what it is told. */
export function recordingManager() {
  const log: string[] = [];
  const short = (text: string) => text.split('/').pop();
  const manager = new LoadingManager(
    () => log.push('load'),
    (item, loaded, total) => log.push(`progress ${short(item)} ${loaded}/${total}`),
    (item) => log.push(`error ${short(item)}`),
  );
  manager.onStart = (item) => log.push(`start ${short(item)}`);
  return { manager, log };
}
