import { Cache } from 'three';
import { afterEach, describe, expect, it } from 'vitest';
import { NsdfLoadError } from '../../src/index.ts';
import { type DownloadRequest, download } from '../../src/three/download.ts';
import { until } from '../pipeline/event-turns.ts';
import { serve, type TestServer } from './serve.ts';

let server: TestServer | undefined;

afterEach(async () => {
  Cache.enabled = false;
  Cache.clear();
  await server?.close();
});

function request(settings: Partial<DownloadRequest> = {}): DownloadRequest {
  return {
    headers: {},
    credentials: 'same-origin' as const,
    priority: 'auto',
    cache: 'default',
    signal: new AbortController().signal,
    ...settings,
  };
}

const BYTES = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);

describe('download', () => {
  it('gives the bytes, sends the headers, and reports progress up to the whole', async () => {
    server = await serve((_, response) => response.setHeader('Content-Length', BYTES.length).end(BYTES));
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent) => events.push(event);
    const bytes = await download(`${server.url}/a`, request({ headers: { 'X-Key': 'k' }, onProgress }));
    expect(new Uint8Array(bytes)).toEqual(BYTES);
    expect(server.requests[0].headers['x-key']).toBe('k');
    expect(events.at(-1)).toMatchObject({ lengthComputable: true, loaded: 200_000, total: 200_000 });
  });

  it('reports what has come where the server does not say how much there is', async () => {
    server = await serve((_, response) => {
      response.write(BYTES.subarray(0, 100));
      response.end(BYTES.subarray(100, 150));
    });
    const events: ProgressEvent[] = [];
    await download(`${server.url}/a`, request({ onProgress: (event) => events.push(event) }));
    expect(events.at(-1)).toMatchObject({ lengthComputable: false, loaded: 150, total: 0 });
  });

  it('rejects with the status where the server refuses', async () => {
    server = await serve((_, response) => response.writeHead(404).end('not here'));
    const failure = download(`${server.url}/gone.nsdf`, request());
    await expect(failure).rejects.toBeInstanceOf(NsdfLoadError);
    await expect(failure).rejects.toThrow(/404 Not Found.*gone\.nsdf/);
  });

  it('rejects with a load error where nobody answers, or the connection breaks', async () => {
    server = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 }).write('half', () => response.destroy());
    });
    await expect(download(`${server.url}/a`, request())).rejects.toBeInstanceOf(NsdfLoadError);
    const { url } = server;
    await server.close();
    await expect(download(`${url}/a`, request())).rejects.toThrow(NsdfLoadError);
  });

  it('rejects with the reason on abort, and closes the connection', async () => {
    let isClosed = false;
    server = await serve((_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      response.writeHead(200, { 'Content-Length': 1000 }).write('half');
    });
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const onProgress = () => controller.abort(reason);
    await expect(
      download(`${server.url}/a`, request({ signal: controller.signal, onProgress })),
    ).rejects.toBe(reason);
    await until(() => isClosed);
  });

  it('asks for nothing when aborted before', async () => {
    const signal = AbortSignal.abort('before');
    await expect(download('http://127.0.0.1:1/a', request({ signal }))).rejects.toBe('before');
  });

  it("uses three's cache where that is enabled", async () => {
    server = await serve((_, response) => response.end('abc'));
    Cache.enabled = true;
    const first = await download(`${server.url}/a`, request());
    expect(await download(`${server.url}/a`, request())).toBe(first);
    expect(server.requests).toHaveLength(1);
  });
});
