// Seeded fields of many kinds, each derived at a tolerance and judged twice, by `checkMesh` and by a judge that shares no
// code with it: `npm run survey -- --from 0 --to 200 [--kind NAME]`. Prints what is over the tolerance and not told, what is
// told and not so, what is wrong with the mesh, and records of it that verification refuses; exits with 1 if there is any.
import { parseArgs } from 'node:util';
import { createCpuField } from '../src/field/cpu-field.ts';
import { runJob } from '../src/pipeline/drive.ts';
import { JOB } from '../src/pipeline/job.ts';
import { frameOf } from '../src/pipeline/plan.ts';
import { checkMesh } from '../src/surface/check.ts';
import { verifySurface } from '../src/surface/surface-record.ts';
import { judgeMesh } from '../test/surface/judge-mesh.ts';
import { judgeDensely } from '../test/survey/dense-judge.ts';
import { SURVEY_KINDS, surveyField } from '../test/survey/fields.ts';

const { values: args } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '33' },
    kind: { type: 'string' },
    samples: { type: 'string', default: '2000' },
  },
});
const kind = SURVEY_KINDS.find((name) => name === args.kind);
if (args.kind !== undefined && kind === undefined)
  throw new Error(`--kind is one of ${SURVEY_KINDS.join(', ')}`);

function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** A figure told is true within this: judges bound distances from above in steps of 2 %. */
const SLACK = 1.02;
const counts = new Map<string, number>();
const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

for (let seed = Number(args.from); seed < Number(args.to); seed++) {
  const survey = surveyField(seed, kind);
  const { asset, options } = survey;
  const { tolerance } = options;
  const startMs = process.cpuUsage().user;
  const { mesh, stats } = await runJob(JOB, asset, options, {
    throwIfCancelled: () => {},
    onProgress: () => {},
  });
  const seconds = (process.cpuUsage().user - startMs) / 1e6;
  const field = createCpuField(asset);
  const { bounds } = frameOf(asset, options);
  const faults = judgeMesh(mesh, field, bounds);
  const report = await checkMesh(mesh, { field, domain: bounds, samples: Number(args.samples), seed });
  const dense = judgeDensely(mesh, field, bounds, tolerance, seed);
  const told = Math.max(stats.errorLocal ?? 0, stats.errorBackLocal ?? 0) / tolerance;
  // `checkMesh` bounds the way forth from above, the dense judge more tightly; both tell the way back exactly.
  const forth = dense.forth;
  const back = Math.max(dense.back, (report.zeroSetToMesh?.max ?? 0) / tolerance);
  const found = Math.max(forth, back);
  if (found > SLACK && stats.isWithinTolerance) faults.push('over the tolerance and not told');
  else if (found > SLACK * told && found > SLACK) faults.push('told too low');
  if (!stats.isWithinTolerance && found <= 1) faults.push('false alarm');
  const refusal = finish(verifySurface(mesh, field, { bounds, tolerance, nBoxes: stats.nBoxes }));
  if (refusal !== undefined) faults.push(`an honest record is refused: ${refusal}`);
  if (!report.isOutwardOriented) faults.push('a part faces inwards');
  for (const fault of faults) count(fault.replace(/^\d+ x /, '').replace(/:.*/, ''));
  count('fields');
  if (stats.isWithinTolerance) count('kept');
  if (!stats.isComplete) count('not complete');
  const figures = { told, forth, back, checkForth: (report.meshToZeroSet?.max ?? 0) / tolerance };
  console.log(
    `${seed} ${survey.kind} ${mesh.positions.length / 3} vertices, ${seconds.toFixed(1)} s, tolerance ${tolerance.toPrecision(3)};`,
    Object.entries(figures)
      .map(([name, x]) => `${name} ${x.toFixed(2)}`)
      .join(', '),
    faults.length > 0 ? `!! ${faults.join('; ')}` : '',
    faults.length > 0
      ? JSON.stringify({
          forthAt: dense.forthAt,
          backAt: dense.backAt,
          stops: stats.stops,
          nBoxesUnsettled: stats.nBoxesUnsettled,
        })
      : '',
  );
}
const { user } = process.cpuUsage();
console.log(Object.fromEntries(counts), `${(user / 1e6).toFixed(0)} s of processor time`);
const nWrong = [...counts].filter(([what]) => !['fields', 'kept', 'not complete'].includes(what)).length;
if (nWrong > 0) process.exitCode = 1;
