// An application that installed the package: no configuration, no alias.
import { checkMesh, deriveMesh, readField } from 'nsdf-loader';
import { NSDFLoader } from 'nsdf-loader/three';

const OPTIONS = { tolerance: 5e-3 };

async function derive(options) {
  const bytes = await (await fetch('/bunny.nsdf')).arrayBuffer();
  const { mesh, stats } = await deriveMesh(readField(bytes), { ...OPTIONS, cache: false, ...options });
  const report = await checkMesh(mesh);
  return {
    backend: stats.backend,
    reason: stats.backendReason,
    nVertices: stats.nVertices,
    isClosed: report.isClosed,
    cache: stats.cache.use,
  };
}

async function load() {
  const group = await new NSDFLoader().setTolerance(OPTIONS.tolerance).loadAsync('/bunny.nsdf');
  return group.fields[0].stats.nVertices;
}

/** Waits for a job and gives its error as text, which puppeteer can carry. */
const settle = (job) => job.catch((error) => ({ error: `${error.name}: ${error.message}` }));

globalThis.app = { derive: (options) => settle(derive(options)), load: () => settle(load()) };
