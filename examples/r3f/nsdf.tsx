import { type ThreeElements, useLoader, useThree } from '@react-three/fiber';
import { useEffect, useMemo, useState } from 'react';
import type { Material } from 'three';
import { type NSDFGroup, NSDFLoader, type NSDFProgress } from '../../src/three/index.ts';

/** What `<NSDF>` takes beside what every group takes: position, rotation, scale, event handlers. */
export interface NSDFProps extends Omit<ThreeElements['group'], 'ref' | 'children'> {
  readonly url: string;
  /** Largest distance between mesh and zero set, in the file's units. Changing it derives again, in place. */
  readonly tolerance?: number;
  /** What to draw the surfaces with instead of the file's materials. */
  readonly material?: Material;
  readonly onProgress?: (progress: NSDFProgress) => void;
  /** Called with the group whenever its surfaces have been derived. */
  readonly onDerived?: (group: NSDFGroup) => void;
}

/** A `.nsdf` file in a React Three Fiber scene. Suspends while it loads; failures go to the next error boundary. */
export function NSDF({ url, tolerance, material, onProgress, onDerived, ...group }: NSDFProps) {
  const file = useLoader(NSDFLoader, url, (loader) =>
    loader.setTolerance(tolerance ?? null).setProgress(onProgress ?? null),
  );
  // Fiber gives everyone who asks for a URL the same group, and an object has one parent: each takes a clone.
  const object = useMemo(() => file.clone(), [file]);
  useEffect(() => () => object.dispose(), [object]);
  useMaterial(object, material);
  useTolerance(object, tolerance, onDerived);
  return <primitive {...group} object={object} />;
}

function useMaterial(object: NSDFGroup, material: Material | undefined): void {
  const invalidate = useThree((state) => state.invalidate);
  useEffect(() => {
    if (!material) return;
    for (const field of object.fields) field.material = material;
    invalidate();
  }, [object, material, invalidate]);
}

/** Keeps the surfaces at the tolerance that is asked for; a derivation that is overtaken stops. */
function useTolerance(
  object: NSDFGroup,
  tolerance: number | undefined,
  onDerived: ((group: NSDFGroup) => void) | undefined,
): void {
  const invalidate = useThree((state) => state.invalidate);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const stale = object.fields.filter(
      ({ stats }) => tolerance !== undefined && stats?.toleranceLocal !== tolerance,
    );
    Promise.all(stale.map((field) => field.derive({ ...(tolerance && { tolerance }), signal })))
      .then(() => {
        if (signal.aborted) return;
        onDerived?.(object);
        invalidate();
      })
      .catch((reason: unknown) => {
        if (!signal.aborted) setError(reason);
      });
    return () => controller.abort();
  }, [object, tolerance, onDerived, invalidate]);
  if (error) throw error;
}
