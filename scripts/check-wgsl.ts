// Holds the rules for WGSL (scripts/wgsl-rules.ts) on all programs that are handed to a GPU, and has naga, the compiler of
// Firefox and wgpu, validate them: prints what is wrong, exits with 1 if there is anything. Chromium's compiler takes them in
// test/conformance. Needs --import ./scripts/wgsl-hooks.mjs.
import { NagaError, parseWgsl, validate } from 'naga-wasm';
import {
  octahedronMlp,
  randomField,
  randomMlp,
  sphereField,
  withDifferenceOutput,
} from '../test/fixtures/fields.ts';
import { composePrograms } from './compose-wgsl.ts';
import { findQuotientsInSelect, findSubnormals, findVectorStores } from './wgsl-rules.ts';

/** Fields whose programs differ: with and without a grid, one and more features, no hidden layer. */
const FIELDS = [
  sphereField(),
  withDifferenceOutput(randomField(1, { F: 1, hasBias: false })),
  randomField(2, { F: 4, nOutputs: 2 }),
  randomField(3, { layers: [] }),
  octahedronMlp(),
  randomMlp(4),
];

/** What the compiler says, or undefined where it takes the program. */
function complaintOf(code: string): string | undefined {
  try {
    const module = parseWgsl(code);
    try {
      validate(module).free();
    } finally {
      module.free();
    }
    return undefined;
  } catch (error) {
    if (error instanceof NagaError) return error.formatted;
    throw error;
  }
}

const programs = await composePrograms(FIELDS);
const complaints = programs.flatMap(({ label, code }) => {
  const rules = [findVectorStores, findQuotientsInSelect, findSubnormals];
  const broken = rules.flatMap((find) => find(code).map(({ target, reason }) => `'${target}': ${reason}`));
  const refused = complaintOf(code);
  return [...broken, ...(refused === undefined ? [] : [refused])].map((what) => `${label}: ${what}`);
});
for (const complaint of new Set(complaints)) console.error(complaint);
console.error(`wgsl: ${programs.length} programs, ${new Set(complaints).size} complaints`);
if (complaints.length > 0) process.exitCode = 1;
