import type { TestProject } from 'vitest/node';
import { serve } from '../three/serve.ts';
import { type BuiltSite, servePage, serveViewer } from './built-page.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where files of tests ask for a site that several of them need. */
    readonly builtOnce: string;
  }
}

const BUILDS = {
  viewer: serveViewer,
  'cache-page': () => servePage('cache-page'),
};
/** A site that is built once, by the first file of tests that asks for it. */
export type SharedSite = keyof typeof BUILDS;

/** Vitest's global set-up of the whole-page tests: answers `/NAME` with where the site NAME is, which is built meanwhile. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sites = new Map<string, Promise<BuiltSite>>();
  const server = await serve(async ({ url = '' }, response) => {
    const name = url.slice(1) as SharedSite;
    const site = sites.get(name) ?? BUILDS[name]();
    sites.set(name, site);
    try {
      const { url: address, folder } = await site;
      response.end(JSON.stringify({ url: address, folder }));
    } catch (error) {
      response.writeHead(500).end(String((error as Error).stack));
    }
  });
  project.provide('builtOnce', server.url);
  return async () => {
    await server.close();
    for (const site of sites.values()) await site.then(({ close }) => close()).catch(() => {}); // one that failed was told
  };
}
