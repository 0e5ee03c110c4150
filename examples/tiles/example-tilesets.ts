import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { listFields } from '../../src/format/instances.ts';
import { readNsdf } from '../../src/format/read.ts';
import { IDENTITY_NODE, type NsdfScene } from '../../src/format/scene.ts';
import { type TilesetOptions, writeTileset } from '../../src/tiles/write-tileset.ts';

const BUNNY = fileURLToPath(new URL('../assets/bunny.nsdf', import.meta.url));
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

/** The files of both tilesets, by path: what `nsdf tile` writes. */
async function makeTilesets(): Promise<Map<string, Uint8Array>> {
  const bunny = readNsdf(readFileSync(BUNNY));
  const files = new Map<string, Uint8Array>();
  const write = (name: string, scene: NsdfScene, options: TilesetOptions) =>
    writeTileset(
      listFields(scene),
      async (path, bytes) => {
        files.set(`${PREFIX}${name}/${path}`, bytes);
      },
      { ...options, copyright: scene.copyright },
    );
  await write('field', bunny, { tolerance: 1e-3 });
  await write('many', crowd(bunny), { tolerance: 4e-3 });
  return files;
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
