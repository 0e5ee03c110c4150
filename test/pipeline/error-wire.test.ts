import { describe, expect, test } from 'vitest';
import * as errors from '../../src/errors.ts';
import { fromWire, toWire } from '../../src/pipeline/error-wire.ts';

const send = (thrown: unknown): Error => fromWire(structuredClone(toWire(thrown)));

describe('errors between threads', () => {
  test.each<[Error, object]>([
    [new errors.NsdfFormatError('bad', { byteOffset: 7, field: '/a/0' }), { byteOffset: 7, field: '/a/0' }],
    [new errors.NsdfUnsupportedError('2d', 'no'), { feature: '2d' }],
    [new errors.NsdfArgumentError('tolerance', 'no'), { argument: 'tolerance' }],
    [
      new errors.NsdfGpuError('cull', 'no', { limit: 'maxBufferSize' }),
      { stage: 'cull', limit: 'maxBufferSize' },
    ],
    [new errors.NsdfBudgetError('no', 10, 5), { needed: 10, available: 5 }],
    [new errors.NsdfLoadError('no'), { code: 'load' }],
    [new RangeError('length'), {}],
    [new Error('plain'), {}],
  ])('keep class, message, fields and stack: %o', (error, fields) => {
    const received = send(error);
    expect(received).toBeInstanceOf(error.constructor);
    expect(received.constructor).toBe(error.constructor);
    expect(received.name).toBe(error.name);
    expect(received.message).toBe(error.message);
    expect(received.stack).toBe(error.stack);
    expect(received).toMatchObject(fields);
  });

  test('keep the chain of causes', () => {
    const cause = new errors.NsdfFormatError('inner', { byteOffset: 3 });
    const received = send(new errors.NsdfLoadError('outer', { cause }));
    expect(received.cause).toBeInstanceOf(errors.NsdfFormatError);
    expect(received.cause).toMatchObject({ message: 'inner', byteOffset: 3 });
  });

  test('keep the name of an error of no known class, and take what is no error', () => {
    const odd = new Error('odd');
    odd.name = 'CompileError';
    expect(send(odd)).toMatchObject({ name: 'CompileError', message: 'odd' });
    expect(send('just text')).toMatchObject({ name: 'Error', message: 'just text' });
  });
});
