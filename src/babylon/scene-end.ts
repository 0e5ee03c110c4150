import type { Scene } from '@babylonjs/core/scene.js';

/**
 * Aborts work that is for a scene as soon as that is disposed of, which disposing of its engine does, too.
 * @returns what ends the watch.
 */
export function abortWith(scene: Scene, controller: AbortController): () => void {
  const abort = (): void => controller.abort(new DOMException('the scene was disposed', 'AbortError'));
  if (scene.isDisposed) abort();
  const observer = scene.onDisposeObservable.add(abort);
  return () => observer.remove();
}
