/**
 * Counts a vitest JSON report. A file that could not be loaded has no tests and counts as one failure, and so do a
 * run that failed without saying which test did and one that left no report.
 * (Types: count-tests.d.mts.)
 */
export function countTests(report, isRunGood) {
  if (!report) return { passed: 0, failed: 1 };
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = report.numFailedTests + broken.length;
  return { passed: report.numPassedTests, failed: failed === 0 && !isRunGood ? 1 : failed };
}
