import { createCpuField } from '../src/field/cpu-field.ts';
import { runJob } from '../src/pipeline/drive.ts';
import { JOB } from '../src/pipeline/job.ts';
import { surveyField } from '../test/survey/fields.ts';
const [seed, ...c] = process.argv.slice(2).map(Number);
const { asset, options } = surveyField(seed);
const tol = options.tolerance;
const { mesh } = await runJob(JOB, asset, options, { throwIfCancelled: () => {}, onProgress: () => {} });
const f = createCpuField(asset);
const P = mesh.positions, I = mesh.indices;
const near: number[][] = [];
for (let t = 0; t < I.length; t += 3) { const p = [0, 1, 2].map((k) => [...P.subarray(I[t + k] * 3, I[t + k] * 3 + 3)]); const lo = [0, 1, 2].map((k) => Math.min(...p.map((q) => q[k]))), hi = [0, 1, 2].map((k) => Math.max(...p.map((q) => q[k]))); if ([0, 1, 2].every((k) => lo[k] < c[k] + 9 * tol && hi[k] > c[k] - 9 * tol)) near.push(p.flat()); }
const sub = (a: number[], b: number[]) => a.map((x, i) => x - b[i]); const dot = (a: number[], b: number[]) => a.reduce((s, x, i) => s + x * b[i], 0);
function dist(p: number[], T: number[]) { const a = T.slice(0, 3), b = T.slice(3, 6), d = T.slice(6); const ab = sub(b, a), ac = sub(d, a), ap = sub(p, a); const d1 = dot(ab, ap), d2 = dot(ac, ap); const at = (u: number, v: number) => Math.hypot(...sub(p, a.map((x, i) => x + u * ab[i] + v * ac[i]))); if (d1 <= 0 && d2 <= 0) return at(0, 0); const bp = sub(p, b), d3 = dot(ab, bp), d4 = dot(ac, bp); if (d3 >= 0 && d4 <= d3) return at(1, 0); const vc = d1 * d4 - d3 * d2; if (vc <= 0 && d1 >= 0 && d3 <= 0) return at(d1 / (d1 - d3), 0); const cp = sub(p, d), d5 = dot(ab, cp), d6 = dot(ac, cp); if (d6 >= 0 && d5 <= d6) return at(0, 1); const vb = d5 * d2 - d1 * d6; if (vb <= 0 && d2 >= 0 && d6 <= 0) return at(0, d2 / (d2 - d6)); const va = d3 * d6 - d5 * d4; if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) { const w = (d4 - d3) / (d4 - d3 + (d5 - d6)); return at(1 - w, w); } const den = 1 / (va + vb + vc); return at(vb * den, vc * den); }
console.log('tol', tol, 'near', near.length);
let worst = 0, at: number[] = []; const N = 400000; let nOver = 0, nRoots = 0;
const pts = new Float64Array(6), val = new Float64Array(2);
let box = [[1e9, 1e9, 1e9], [-1e9, -1e9, -1e9]];
for (let i = 0; i < N; i++) { const p = c.map((x) => x + (Math.random() - .5) * 3 * tol); const d = [0, 1, 2].map(() => Math.random() - .5); const l = Math.hypot(...d); const q = p.map((x, k) => x + d[k] / l * 0.2 * tol); pts.set(p); pts.set(q, 3); f.evaluate(pts, val, 2); if (val[0] >= 0 === val[1] >= 0) continue; nRoots++; const s = val[0] / (val[0] - val[1]); const r = p.map((x, k) => x + s * (q[k] - x)); const m = Math.min(...near.map((T) => dist(r, T))) / tol; if (m > 1.0) { nOver++; box = [box[0].map((x, k) => Math.min(x, r[k])), box[1].map((x, k) => Math.max(x, r[k]))]; } if (m > worst) { worst = m; at = r; } }
console.log('roots', nRoots, 'worst', worst, at, 'over', nOver, 'extent of over (tol)', box[1].map((x, k) => (x - box[0][k]) / tol));
