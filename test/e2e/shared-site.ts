import { inject } from 'vitest';
import type { SharedSite } from './built-once.ts';

/** A site that other files of tests use too. */
export async function openSite(name: SharedSite): Promise<{ readonly url: string; readonly folder: string }> {
  const response = await fetch(`${inject('builtOnce')}/${name}`);
  if (!response.ok) throw new Error(`${name} cannot be built: ${await response.text()}`);
  return response.json();
}
