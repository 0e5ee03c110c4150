import { Canvas } from '@react-three/fiber';
import { Component, type ReactNode, Suspense, useCallback, useState } from 'react';
import type { NSDFGroup, NSDFProgress } from '../../src/three/index.ts';
import { NSDF } from './nsdf.tsx';
import { Orbit } from './orbit.tsx';

const DEFAULT_URL = '/assets/bunny.nsdf';
/** Exponents of the slider: 10^-3.5 to 10^-1.5. */
const [FINEST, COARSEST] = [-3.5, -1.5];

/** The page: two of the same field, one at the slider's tolerance and one coarse. */
export function App() {
  const url = new URLSearchParams(location.search).get('asset') ?? DEFAULT_URL;
  const [exponent, setExponent] = useState(-2.5);
  const [isShown, setShown] = useState(true);
  const [progress, setProgress] = useState<NSDFProgress | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [nVertices, setVertices] = useState(0);
  const onDerived = useCallback((group: NSDFGroup) => {
    setProgress(null);
    setVertices(group.fields.reduce((sum, { stats }) => sum + (stats?.nVertices ?? 0), 0));
  }, []);
  return (
    <>
      <Canvas camera={{ position: [0, 0.9, 3.6], fov: 40 }} frameloop="demand" onCreated={expose}>
        <hemisphereLight args={['#f4efe8', '#30343c', 1.6]} />
        <directionalLight position={[3, 5, 4]} intensity={2.2} />
        <Orbit />
        <Boundary onError={setError}>
          {isShown && (
            <Suspense fallback={null}>
              <NSDF
                url={url}
                tolerance={10 ** exponent}
                onProgress={setProgress}
                onDerived={onDerived}
                position={[-0.75, 0, 0]}
              />
              <NSDF url={url} tolerance={0.03} position={[0.85, -0.3, -0.3]} scale={0.7} />
            </Suspense>
          )}
        </Boundary>
      </Canvas>
      <div className="panel">
        <h1>&lt;NSDF&gt;</h1>
        <label>
          Tolerance {(10 ** exponent).toPrecision(2)}
          <input
            id="tolerance"
            type="range"
            min={FINEST}
            max={COARSEST}
            step={0.5}
            value={exponent}
            onChange={(event) => setExponent(Number(event.target.value))}
          />
        </label>
        <label className="row">
          <input
            id="shown"
            type="checkbox"
            checked={isShown}
            onChange={(event) => setShown(event.target.checked)}
          />
          Mounted
        </label>
        <Status error={error} progress={progress} nVertices={nVertices} />
      </div>
    </>
  );
}

/** What the page's tests look at. */
function expose(state: Parameters<NonNullable<Parameters<typeof Canvas>[0]['onCreated']>>[0]): void {
  Object.assign(globalThis, { __r3f: state });
}

interface StatusProps {
  readonly error: Error | null;
  readonly progress: NSDFProgress | null;
  readonly nVertices: number;
}

function Status({ error, progress, nVertices }: StatusProps) {
  if (error) return <p role="alert">{error.message}</p>;
  if (progress) {
    return (
      <p>
        {progress.phase} {progress.stage} <progress value={progress.fraction} />
      </p>
    );
  }
  return <p id="vertices">{nVertices === 0 ? 'loading' : `${nVertices} vertices`}</p>;
}

interface BoundaryProps {
  readonly children: ReactNode;
  readonly onError: (error: Error) => void;
}

/** Shows nothing in place of what failed, and says why outside the canvas. */
class Boundary extends Component<BoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: Error): void {
    this.props.onError(error);
  }

  override render(): ReactNode {
    return this.state.hasFailed ? null : this.props.children;
  }
}
