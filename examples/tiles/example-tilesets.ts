import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Plugin } from 'vite';
import { readNsdf } from '../../src/format/read.ts';
import { IDENTITY_NODE, type NsdfScene } from '../../src/format/scene.ts';
import { writeNsdf } from '../../src/format/write.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNNY = join(ROOT, 'examples', 'assets', 'bunny.nsdf');
const PREFIX = 'tilesets/';

/** A crowd: the same field many times, each placed, turned and scaled by a node of its own. */
function crowd(scene: NsdfScene): NsdfScene {
  const [bunny] = scene.nodes;
  const nodes = Array.from({ length: 25 }, (_, i) => {
    const [column, row] = [(i % 5) - 2, Math.floor(i / 5) - 2];
    const half = ((i * 2.399) % (2 * Math.PI)) / 2;
    const size = 0.7 + ((i * 37) % 11) / 20;
    return {
      ...IDENTITY_NODE,
      translation: [2.6 * column, 0, 2.6 * row] as const,
      rotation: [0, Math.sin(half), 0, Math.cos(half)] as const,
      scale: [size, size, size] as const,
      children: [bunny],
    };
  });
  return { ...scene, nodes };
}

/** Runs `nsdf tile` from the sources. */
async function tile(...args: string[]): Promise<void> {
  const command = ['--import', 'tsx', join(ROOT, 'src', 'cli', 'nsdf.ts'), 'tile', ...args];
  await promisify(execFile)(process.execPath, command, { cwd: ROOT });
}

/** The files of both tilesets, by path. */
async function makeTilesets(): Promise<Map<string, Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), 'nsdf-tilesets-'));
  try {
    await tile(BUNNY, join(folder, 'field'), '--tolerance', '1e-3');
    const many = join(folder, 'crowd.nsdf');
    writeFileSync(many, writeNsdf(crowd(readNsdf(readFileSync(BUNNY)))));
    await tile(many, join(folder, 'many'), '--tolerance', '4e-3');
    rmSync(many);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return new Map(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [PREFIX + path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path)];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Serves the tilesets at /tilesets/ and puts them into a build. */
export function exampleTilesets(): Plugin {
  let made: Promise<Map<string, Uint8Array>> | null = null;
  const files = (): Promise<Map<string, Uint8Array>> => {
    made ??= makeTilesets();
    return made;
  };
  return {
    name: 'example-tilesets',
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
        const bytes = path.startsWith(PREFIX) ? (await files()).get(path) : undefined;
        if (bytes) response.end(bytes);
        else next();
      });
    },
    async generateBundle() {
      for (const [fileName, source] of await files()) this.emitFile({ type: 'asset', fileName, source });
    },
  };
}
