import { describe, expect, test } from 'vitest';
import { countTests, type TestReport } from '../../scripts/count-tests.mjs';

const file = (...tests: string[]): TestReport['testResults'][number] => ({
  status: tests.includes('failed') || tests.length === 0 ? 'failed' : 'passed',
  assertionResults: tests.map((status) => ({ status })),
});
const report = (...files: TestReport['testResults'][number][]): TestReport => {
  const all = files.flatMap(({ assertionResults }) => assertionResults);
  const count = (wanted: string): number => all.filter(({ status }) => status === wanted).length;
  return { numPassedTests: count('passed'), numFailedTests: count('failed'), testResults: files };
};

describe('countTests', () => {
  test.each<[string, TestReport | undefined, boolean, object]>([
    ['passed tests', report(file('passed', 'passed')), true, { passed: 2, failed: 0 }],
    ['failed tests', report(file('passed', 'failed')), false, { passed: 1, failed: 1 }],
    ['a file that cannot be loaded', report(file('passed'), file()), false, { passed: 1, failed: 1 }],
    ['an error outside any test', report(file('passed')), false, { passed: 1, failed: 1 }],
    ['no report', undefined, true, { passed: 0, failed: 1 }],
    ['no tests', report(), true, { passed: 0, failed: 0 }],
  ])('counts %s', (_what, input, isRunGood, expected) => {
    expect(countTests(input, isRunGood)).toEqual(expected);
  });
});
