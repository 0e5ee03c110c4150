import { FIELD_CASES } from '../fixtures/fields.ts';
import { describeDerivations } from './describe-derivations.ts';

for (const fieldCase of FIELD_CASES) if (fieldCase.name.includes('8x32')) describeDerivations(fieldCase);
