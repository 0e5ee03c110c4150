import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { NsdfLoadError } from '../../src/index.ts';
import { type FetchBytesOptions, fetchBytes } from '../../src/plugin/fetch-bytes.ts';
import { BALL } from '../three/field-server.ts';
import { serve, type TestServer } from '../three/serve.ts';

let server: TestServer | undefined;
/** Resolves when the first bytes have been given out. */
let arrived = Promise.resolve();
afterEach(() => server?.close());

interface Fetched {
  readonly bytes: Uint8Array;
  readonly progress: (readonly [loaded: number, total: number])[];
  readonly prefixes: number[];
}

/** Fetches from a server of `answer`, and checks every prefix against the file. */
async function fetchFrom(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<FetchBytesOptions> = {},
): Promise<Fetched> {
  server = await serve(answer);
  let whenArrived = (): void => {};
  arrived = new Promise((resolve) => {
    whenArrived = resolve;
  });
  const progress: (readonly [number, number])[] = [];
  const prefixes: number[] = [];
  const bytes = await fetchBytes(`${server.url}/ball.nsdf`, {
    request: {},
    headers: { 'X-Key': 'k' },
    signal: new AbortController().signal,
    onProgress: (loaded, total) => {
      progress.push([loaded, total]);
      if (loaded > 0) whenArrived();
    },
    onPrefix: (received) => {
      expect(received).toEqual(BALL.subarray(0, received.length));
      prefixes.push(received.length);
    },
    ...options,
  });
  return { bytes: new Uint8Array(bytes), progress, prefixes };
}

/** Writes a body in two parts, the second when the first has arrived. */
function inParts(response: ServerResponse, body: Uint8Array, first = Math.floor(body.length / 3)): void {
  response.write(body.subarray(0, first));
  void arrived.then(() => response.end(body.subarray(first)));
}

/** A server that knows ranges. */
function answerRange(
  { headers }: IncomingMessage,
  response: ServerResponse,
  etag = '"1"',
  file: Uint8Array = BALL,
): void {
  const [from, to] = (headers.range ?? '').replace('bytes=', '').split('-');
  const isSame = !headers['if-range'] || headers['if-range'] === etag;
  response.setHeader('Accept-Ranges', 'bytes').setHeader('ETag', etag);
  if (!headers.range || !isSame) {
    response.setHeader('Content-Length', file.length).end(file);
    return;
  }
  const end = Math.min(Number(to || file.length - 1), file.length - 1);
  response.writeHead(206, { 'Content-Range': `bytes ${from}-${end}/${file.length}` });
  response.end(file.subarray(Number(from), end + 1));
}

const whole = ({ bytes, progress }: Fetched): void => {
  expect(bytes).toEqual(BALL);
  expect(progress.at(-1)).toEqual([BALL.length, BALL.length]);
};

describe('fetchBytes by streaming', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['Content-Length', (response) => inParts(response.setHeader('Content-Length', BALL.length), BALL)],
    ['no length', (response) => inParts(response, BALL)],
    ['gzip', (response) => encoded(response, 'gzip', gzipSync(BALL))],
    ['brotli', (response) => encoded(response, 'br', brotliCompressSync(BALL))],
    ['X-File-Size', (response) => inParts(response.setHeader('X-File-Size', BALL.length), BALL)],
  ])('gives all bytes, their first ones early, and the true length: %s', async (_what, answer) => {
    const fetched = await fetchFrom((_, response) => answer(response));
    whole(fetched);
    expect(fetched.prefixes[0]).toBeLessThan(BALL.length);
    expect(fetched.prefixes.at(-1)).toBe(BALL.length);
    expect(fetched.progress.filter(([, total]) => total !== BALL.length && total !== 0)).toEqual([]);
    expect(server?.requests[0].headers['x-key']).toBe('k');
  });

  test('resumes a connection that breaks', async () => {
    const fetched = await fetchFrom((request, response) => {
      if (request.headers.range) return answerRange(request, response);
      response.writeHead(200, { 'Accept-Ranges': 'bytes', ETag: '"1"', 'Content-Length': BALL.length });
      response.write(BALL.subarray(0, 500));
      void arrived.then(() => response.destroy());
    });
    whole(fetched);
    expect(server?.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=500-']);
    expect(server?.requests[1].headers['if-range']).toBe('"1"');
  });

  test('starts again where the file has changed meanwhile', async () => {
    const old = new Uint8Array(BALL.length).fill(7);
    const fetched = await fetchFrom(
      (request, response) => {
        if (request.headers.range) return answerRange(request, response, '"2"');
        response.writeHead(200, { 'Accept-Ranges': 'bytes', ETag: '"1"', 'Content-Length': old.length });
        response.write(old.subarray(0, 500));
        void arrived.then(() => response.destroy());
      },
      { onPrefix: () => {} },
    );
    whole(fetched);
  });

  test.each([
    ['the server knows no ranges', {}],
    ['the body is compressed', { 'Accept-Ranges': 'bytes', ETag: '"1"', 'Content-Encoding': 'gzip' }],
    ['nothing proves that it is the same file', { 'Accept-Ranges': 'bytes', ETag: 'W/"1"' }],
  ])('fails where the connection breaks and %s', async (_what, headers) => {
    const pending = fetchFrom((_, response) => {
      const body = 'Content-Encoding' in headers ? gzipSync(BALL) : BALL;
      response.writeHead(200, { ...headers, 'Content-Length': body.length });
      response.write(body.subarray(0, 500));
      void arrived.then(() => response.destroy());
    });
    await expect(pending).rejects.toThrow();
    expect(server?.requests).toHaveLength(1);
  });
});

describe('fetchBytes where bodies cannot be streamed', () => {
  const hasStreams = false;
  const file = new Uint8Array(readFileSync(new URL('../../test/fixtures/bunny-S.nsdf', import.meta.url)));

  test('asks for the first bytes, then for the rest', async () => {
    const prefixes: number[] = [];
    const onPrefix = (received: Uint8Array) => void prefixes.push(received.length);
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      answerRange(request, response, '"1"', file);
    const { bytes, progress } = await fetchFrom(answer, { hasStreams, onPrefix });
    expect(bytes).toEqual(file);
    expect(prefixes).toEqual([65_536]);
    expect(progress).toEqual([
      [65_536, file.length],
      [file.length, file.length],
    ]);
    expect(server?.requests.map(({ headers }) => headers.range)).toEqual(['bytes=0-65535', 'bytes=65536-']);
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['the server knows no ranges', (_, response) => response.end(file)],
    [
      'the file changes in between',
      (request, response) =>
        request.headers['if-range'] ? response.end(file) : answerRange(request, response, '"1"', file),
    ],
  ])('gives the whole file where %s', async (_what, answer) => {
    expect((await fetchFrom(answer, { hasStreams, onPrefix: () => {} })).bytes).toEqual(file);
  });

  test('asks for a small file once, and for a range only where somebody looks at prefixes', async () => {
    expect((await fetchFrom(answerRange, { hasStreams })).bytes).toEqual(BALL);
    expect(server?.requests).toHaveLength(1);
    await server?.close();
    expect((await fetchFrom(answerRange, { hasStreams, onPrefix: undefined })).bytes).toEqual(BALL);
    expect(server?.requests.map(({ headers }) => headers.range)).toEqual([undefined]);
  });
});

function encoded(response: ServerResponse, encoding: string, body: Uint8Array): void {
  response.setHeader('Content-Encoding', encoding).setHeader('Content-Length', body.length);
  inParts(response, body);
}

test('a refusal is a load error', async () => {
  const pending = fetchFrom((_, response) => response.writeHead(403).end());
  await expect(pending).rejects.toThrow(NsdfLoadError);
});
