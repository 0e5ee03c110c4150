import { NsdfBudgetError } from './errors.ts';

/**
 * Budgets for what a small file can multiply: each is checked before anything of that size is allocated. docs/format.md
 * has the same table. What is not here grows no faster than the file itself.
 */
export const BUDGETS = {
  /** Fields of a file, those that no node shows included: each may be the whole of the others' bytes over again. */
  nFields: 2 ** 12,
  /** Weights of a field's networks, its attributes' included, every layer counted: layers may share their bytes. */
  nWeights: 2 ** 23,
  /** Attributes of a field: each is a network to evaluate at every vertex. */
  nAttributes: 2 ** 3,
  /** Hidden neurons of a network: every corner of the search holds a value of each. */
  nNeurons: 2 ** 14,
  /** Planes across an axis of a field's grid, those of all levels together. */
  nGridPlanes: 2 ** 13,
  /** Boxes that the search for the surface holds at a time. */
  nBoxes: 2 ** 24,
  /** Values at the corners of those boxes, hidden neurons times corners: 2 GiB. */
  nCornerValues: 2 ** 28,
  /** Values, vertices times features, that a level's pyramid of ranges is built of; a larger level gets none. */
  nPyramidValues: 2 ** 27,
  /** Values that a file's coded tables decode to, those of all levels and fields together. */
  nTableValues: 2 ** 25,
} as const;

/**
 * Holds a size against its budget.
 * @param what is counted, for the message: "boxes to look into".
 * @param advice what to do about it.
 * @throws {NsdfBudgetError} if it is larger.
 */
export function checkBudget(key: keyof typeof BUDGETS, needed: number, what: string, advice: string): void {
  const available = BUDGETS[key];
  if (needed <= available) return;
  throw new NsdfBudgetError(
    `${needed} ${what}, at most ${available} are allowed: ${advice}`,
    needed,
    available,
  );
}
