import { type CpuField, createCpuField } from '../../src/field/cpu-field.ts';
import type { FieldAsset } from '../../src/format/asset.ts';
import { CornerTable } from '../../src/partition/corners.ts';
import { cullBoxes } from '../../src/partition/cull.ts';
import { Forest } from '../../src/partition/forest.ts';
import { Settler } from '../../src/partition/settle.ts';
import { makePlan, type Plan } from '../../src/pipeline/plan.ts';
import type { JobOptions } from '../../src/pipeline/steps.ts';
import { runSteps } from './run-steps.ts';

/** A field's boxes, found and settled all at once, as a job with these options would. */
export interface Settled {
  readonly field: CpuField;
  readonly plan: Plan;
  readonly table: CornerTable;
  readonly forest: Forest;
}

export function settleField(asset: FieldAsset, options: JobOptions): Settled {
  const field = createCpuField(asset);
  const plan = makePlan(field, options);
  const table = new CornerTable(field, plan.lattice);
  const forest = new Forest(plan.lattice, runSteps(cullBoxes(field, plan.lattice, table)).boxes);
  runSteps(new Settler(table, forest).run());
  return { field, plan, table, forest };
}
