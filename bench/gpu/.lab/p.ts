
import { readField } from '../../../src/format/read.ts';
import { importSafetensors } from '../../../src/import/index.ts';
import { createGpuContext } from '../../../src/gpu/context.ts';
import { createGpuField } from '../../../src/field/gpu/gpu-field.ts';
import { GpuSurfaceDeriver } from '../../../src/surface/gpu/gpu-surface.ts';
import { createCpuField } from '../../../src/field/cpu-field.ts';
import { boundAlongGradients } from '../../../src/surface/mesh-error.ts';
import { GpuArena } from '../../../src/gpu/arena.ts';
import { makePlan } from '../../../src/pipeline/plan.ts';
globalThis.go = async (url, tolerances, runs) => {
  const bytes = url.startsWith('case:') ? undefined : await (await fetch(url)).arrayBuffer();
  const asset = url.startsWith('case:') ? (await import('../../../test/conformance/cases.ts')).DERIVATION_CASES.find((c) => c.name === url.slice(5)).make() : url.endsWith('.safetensors') ? importSafetensors(bytes, { name: url }) : readField(bytes);
  const context = await createGpuContext();
  const field = await createGpuField(asset, context);
  const t0 = performance.now(); const d = await GpuSurfaceDeriver.create(field); const out = ['compile ' + (performance.now() - t0).toFixed(0)];
  const half = (asset.domain.max[0] - asset.domain.min[0]) / 2;
  for (const t of tolerances) for (let r = 0; r < runs; r++) {
    const { lattice, frame, detail } = makePlan(createCpuField(asset), { tolerance: t * half });
    const plan = { lattice, bounds: frame.bounds, tolerances: { counts: [1, 1, 1], tolerances: [detail.least] }, domain: asset.domain };
    const s = performance.now();
    try {
      out.push(await d.derive(plan, { giveWay: () => new Promise((r) => setTimeout(r)) }, async (x) => { const { positions, normals, indices, ...rest } = x;
      const arena = new GpuArena(context); const [pb, ib] = await arena.readAll([[positions, x.nVertices * 12], [indices, x.nTriangles * 12]], 's'); const P = new Float32Array(pb), I = new Uint32Array(ib);
      const n = x.nTriangles, C = new Float64Array(n * 3), M = new Float64Array(n * 3);
      for (let t = 0; t < n; t++) for (let k = 0; k < 3; k++) { C[3*t+k] = (P[3*I[3*t]+k] + P[3*I[3*t+1]+k] + P[3*I[3*t+2]+k]) / 3; M[3*t+k] = (P[3*I[3*t]+k] + P[3*I[3*t+1]+k]) / 2; }
      const cpu = createCpuField(asset);
      for (const [what, Q] of [['centroid', C], ['middle', M]]) { const d = boundAlongGradients(Q, new Float64Array(n), cpu, asset.domain); const far = [...d.keys()].filter((i) => d[i] > 1.2 * detail.least).sort((a, b) => d[b] - d[a]).slice(0, 8); for (const i of far) { const g = new Float64Array(3); console.log(t, what, (d[i] / detail.least).toFixed(2), [0,1,2].map((k) => Q[3*i+k].toFixed(5)).join(' '), 'f/tol', (cpu.evaluate ? 0 : 0), 'corners', [0,1,2].map((c) => [0,1,2].map((k) => P[3*I[3*i+c]+k].toFixed(5)).join(' ')).join(' | ')); } }
 return t + ' ' + (performance.now() - s).toFixed(0) + ' ms ' + (rest.errorLocal / detail.least).toFixed(2) + ' tol ' + JSON.stringify({ ...rest, gpuTimeMs: Object.fromEntries(Object.entries(rest.gpuTimeMs).map(([k, v]) => [k, Math.round(v)])) }); }));
    } catch (e) { out.push(t + ' ' + String(e)); }
  }
  return out;
};