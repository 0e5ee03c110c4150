import type { ArrayCamera, Camera } from 'three';
import { NsdfArgumentError, type ToleranceBlocks } from '../index.ts';
import type { Eye, ViewBlocksOptions } from '../lod/index.ts';
import type { NSDFObject } from './nsdf-object.ts';
import { viewportHeightOf } from './shown-mesh.ts';

export interface FollowViewOptions extends ViewBlocksOptions {
  /** Height of the picture in physical pixels; default: what the camera was last seen to draw into. */
  readonly viewportHeight?: number;
  /** A mesh could not be derived; the one shown stays, and the next change of the view tries again. */
  readonly onError?: (error: unknown) => void;
}

/** Follows one camera; made by {@link followView}. */
export interface FollowedView {
  /** The tolerances of the mesh that is shown; null before the first one. */
  readonly shown: ToleranceBlocks | null;
  /** True while a mesh is on its way. */
  readonly isBusy: boolean;
  /** To be called once a frame with the cameras that draw the object. */
  update(...cameras: readonly Camera[]): void;
  /** Ends the work at hand; the mesh that is shown stays. */
  dispose(): void;
}

/**
 * Detail by view inside one large field: derives the object's mesh anew, fine in the blocks of its domain that are near the
 * camera and coarse elsewhere, without a crack between them. The old mesh stays until the new one is there. Levels of
 * detail of the whole object (`setLod`) end with the first such mesh.
 *
 * @example
 * const view = await followView(terrain, { counts: [8, 2, 8], tolerances: [0.016, 0.004, 0.001] });
 * renderer.setAnimationLoop(() => {
 *   view.update(camera);
 *   renderer.render(scene, camera);
 * });
 */
export async function followView(object: NSDFObject, options: FollowViewOptions): Promise<FollowedView> {
  const { asset } = object;
  if (asset === null) {
    throw new NsdfArgumentError('object', 'this NSDFObject carries no field; make one with NSDFLoader');
  }
  const { ViewFollower } = await import('./levels.ts');
  const fail = options.onError ?? (() => {});
  const maker = {
    derive: (blocks: ToleranceBlocks, signal: AbortSignal) => object.derive({ blocks, signal }),
    failed: fail,
  };
  const follower = new ViewFollower(asset.domain, maker, options);
  return {
    get shown() {
      return follower.shown;
    },
    get isBusy() {
      return follower.isBusy;
    },
    update(...cameras) {
      object.updateWorldMatrix(true, false);
      follower.update(
        cameras.flatMap((camera) => eyesOf(camera, options.viewportHeight)),
        object.matrixWorld.elements,
      );
    },
    dispose: () => follower.dispose(),
  };
}

/** An XR session's camera has one eye for each view. */
function eyesOf(camera: Camera, height = viewportHeightOf(camera)): Eye[] {
  camera.updateWorldMatrix(true, false);
  const { cameras } = camera as Partial<ArrayCamera>;
  if (cameras?.length) return cameras.flatMap((part) => eyesOf(part, part.viewport?.w ?? height));
  return [
    {
      viewMatrix: camera.matrixWorldInverse.elements,
      projectionMatrix: camera.projectionMatrix.elements,
      near: (camera as Camera & { near?: number }).near ?? 0,
      viewportHeight: height,
    },
  ];
}
