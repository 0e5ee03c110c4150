import type { DeriveStops } from './options.ts';
import type { SurfaceStats } from './steps.ts';

/** A derivation that no limit ended early. */
export const NO_STOPS: DeriveStops = {
  nBoxesUnsound: 0,
  nBoxesFull: 0,
  nBoxesUnrefined: 0,
  nPlacesLeft: 0,
  nDivisionsRefused: 0,
  nWithoutRoom: 0,
};

/** What a derivation found out, without what follows from it. */
export type Findings = Omit<SurfaceStats, 'isWithinTolerance' | 'isComplete'>;

/**
 * Adds what follows from the figures: whether the tolerance is kept, by measurement, and whether nothing is missing, by
 * certificate. The one place where either is decided, for meshes that were derived, simplified, and read from a record.
 */
export function conclude(findings: Findings): SurfaceStats {
  const { method, toleranceLocal, errorLocal = Number.POSITIVE_INFINITY, nBoxesUnsettled, stops } = findings;
  const isDerived = method === 'derived';
  // What a derivation lacks is certified; what a lattice lacks has to be measured.
  const { errorBackLocal = isDerived ? 0 : Number.POSITIVE_INFINITY } = findings;
  return {
    ...findings,
    ...(toleranceLocal > 0 && { isWithinTolerance: Math.max(errorLocal, errorBackLocal) <= toleranceLocal }),
    isComplete: isDerived && nBoxesUnsettled === 0 && stops.nBoxesUnsound === 0,
  };
}
