import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compressAtError } from '../../src/cli/compressed-meshes.ts';
import { meshFormatOf } from '../../src/cli/mesh-files/index.ts';
import { measureTraining, reportLines } from '../../src/cli/train-report.ts';
import { writeNsdf } from '../../src/format/write.ts';
import { trainField } from '../../src/train/index.ts';
import { join, sphere, typed } from '../surface/check-meshes.ts';
import { runNsdf } from './run-nsdf.ts';

/** A sphere whose triangles share no vertices by number, as files of some formats have them. */
function soup() {
  const { positions, indices } = sphere(3, 2, [7, 0, 0]);
  const corners = indices.flatMap((v) => positions.slice(v * 3, v * 3 + 3));
  return typed({ positions: corners, indices: indices.map((_, i) => i) });
}

describe('compressAtError', () => {
  it('gives the input by both codecs, no farther from it than asked, smaller where more is allowed', async () => {
    const near = await compressAtError(soup(), { toInput: 4e-3, fromInput: 4e-3 });
    const far = await compressAtError(soup(), { toInput: 4e-2, fromInput: 4e-2 });
    expect(near.missing).toEqual([]);
    expect(near.meshes.map(({ codec }) => codec)).toEqual(['draco', 'meshopt + gzip']);
    near.meshes.forEach((mesh, i) => {
      expect(Math.max(mesh.toInput, mesh.fromInput)).toBeLessThanOrEqual(4e-3);
      expect(mesh.bytes).toBeGreaterThan(mesh.nTriangles / 4);
      expect(far.meshes[i].bytes).toBeLessThan(0.8 * mesh.bytes);
      expect(far.meshes[i].nTriangles).toBeLessThan(512);
    });
  });
});

describe('measureTraining', () => {
  it('measures the file against its input: both ways, both errors of the paper, components, rivals', async () => {
    const input = typed(join(sphere(3, 1, [100, 0, 0]), sphere(2, 0.4, [102, 0, 0])));
    const { asset, stats } = await trainField(input, {
      resolutions: [4, 10],
      hidden: [4],
      steps: 30,
      batchSize: 256,
      poolSize: 2000,
      checkTolerance: 0.05,
      nWorkers: 0,
    });
    const bytes = writeNsdf(asset);
    const report = await measureTraining(bytes, [input], stats);
    expect(report.bytes).toBe(bytes.length);
    expect(report.components).toMatchObject({ input: 2, result: 2, far: 0 });
    // Of the file, whatever the training knew: here it is held against one of the two.
    const one = await measureTraining(bytes, [typed(sphere(3, 1, [100, 0, 0]))], stats);
    expect(one.components).toMatchObject({ result: 2, far: 1 });
    const { toInput, fromInput } = report.distance;
    for (const { mean, p99, max } of [toInput, fromInput, report.quality.eikonal]) {
      expect(mean).toBeGreaterThan(0);
      expect(mean).toBeLessThan(0.1);
      expect(p99).toBeGreaterThan(mean);
      expect(max).toBeGreaterThanOrEqual(p99);
    }
    expect(report.quality.flatness.n).toBeGreaterThan(100);
    const [fine, , coarse] = report.vertices;
    expect(coarse.n).toBeLessThan(fine.n);
    expect(report.compressed.meshes).toHaveLength(2);
    expect(reportLines(report).join('\n')).toMatch(/flatness error .*\n.*eikonal error .*\n.*input by draco/);
    expect(reportLines(report).join('\n')).toMatch(/steps in .* on this thread\n.*backend +cpu \(auto: /);
    const onGpu = { ...report, training: { ...stats, backend: 'gpu' as const, backendReason: 'asked for' } };
    expect(reportLines(onGpu).join('\n')).toMatch(
      /on the GPU, samples by this thread\n.*backend +gpu \(asked for\)/,
    );
    const without = { ...report, compressed: { meshes: [], missing: ['draco3dgltf' as const] } };
    expect(reportLines(without).join('\n')).toMatch(/npm install draco3dgltf/);
  });
});

describe('nsdf train --error', () => {
  it.each([
    ['1e-9', /\n +target error +1\.00e-9, NOT reached: mean \S+ when training ended\n/, false],
    ['10', /\n +target error +1\.00e\+1, reached: mean \S+ when training ended\n/, true],
  ])('%s: says whether it was reached', async (error, line, isReached) => {
    const folder = await mkdtemp(joinPath(tmpdir(), 'nsdf-target-'));
    const path = `${folder}/ball.stl`;
    const ball = sphere(2);
    const mesh = { positions: Float32Array.from(ball.positions), indices: Uint32Array.from(ball.indices) };
    await writeFile(path, meshFormatOf(path).write({ ...mesh, normals: null }));
    const args = ['--steps', '5', '--levels', '4,8', '--hidden', '4', '--workers', '0', '--error', error];
    const text = await runNsdf('train', path, `${folder}/ball.nsdf`, ...args);
    expect(text).toMatchObject({ code: 0, out: expect.stringMatching(line) });
    const { out } = await runNsdf('train', path, `${folder}/ball.nsdf`, ...args, '--json');
    expect(JSON.parse(out).target).toEqual({ error: Number(error), isReached });
    await rm(folder, { recursive: true });
  });
});
