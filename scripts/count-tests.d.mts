/** The parts of a vitest JSON report that are counted. */
export interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Counts a vitest JSON report; undefined stands for one that is missing. */
export function countTests(
  report: TestReport | undefined,
  isRunGood: boolean,
): { passed: number; failed: number };
