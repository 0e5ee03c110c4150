/** Text that a rule forbids. */
export interface WgslViolation {
  readonly line: number;
  /** What it is, as it stands there. */
  readonly target: string;
  readonly reason: string;
}

interface Token {
  readonly text: string;
  readonly line: number;
}

/** Types by name; a struct's members, by struct. */
interface Declarations {
  readonly structs: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly aliases: ReadonlyMap<string, string>;
  /** Variables in storage that may be written. */
  readonly storage: ReadonlyMap<string, string>;
}

const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=', '++', '--']);
const TOKEN = /[A-Za-z_]\w*|\d[\w.]*|\+\+|--|<<=|>>=|[-+*/%&|^]=|[=!<>]=|&&|\|\||->|[^\s\w]/g;

/**
 * Stores to single components of vectors in storage. WGSL lets an implementation write the whole vector for one, so that two
 * invocations that each write another component race; neighbours in an array are places of their own. Pointers to storage are
 * followed through `let` and through parameters.
 * @see the WGSL specification, "Memory Model": a write of a component may touch every component of its vector
 */
export function findVectorStores(code: string): WgslViolation[] {
  const tokens = tokensOf(code);
  const declarations = declarationsOf(tokens);
  const pointers = new Map<string, string>();
  const found: WgslViolation[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].text === 'fn') {
      pointers.clear();
      takeParameters(tokens, i, pointers);
    }
    if (tokens[i].text === 'let') takePointer(tokens, i, declarations, pointers);
    const isStart = i === 0 || /^[;{})]$/.test(tokens[i - 1].text) || isLoopStep(tokens, i);
    if (!isStart) continue;
    const place = placeAt(tokens, i, declarations, pointers);
    if (place === undefined || !ASSIGNMENTS.has(tokens[place.end]?.text ?? '')) continue;
    if (place.isComponent) {
      const target = tokens.slice(i, place.end).map(({ text }) => text);
      const reason =
        'a component of a vector in storage is written: write the whole vector, or make it an array';
      found.push({ line: tokens[i].line, target: target.join(''), reason });
    }
  }
  return found;
}

/**
 * Quotients in what a `select` chooses between, by something that may be zero: it evaluates both, and a quotient by zero is
 * indeterminate, also where it is not chosen. A divisor is good that is a number, a constant, or a `max` or `select` of its own.
 * @see the WGSL specification, "Floating Point Evaluation": implementations may assume that infinities and NaNs do not occur
 */
export function findQuotientsInSelect(code: string): WgslViolation[] {
  const tokens = tokensOf(code);
  const found: WgslViolation[] = [];
  const ends: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    while (ends.length > 0 && i >= (ends.at(-1) as number)) ends.pop();
    if (tokens[i].text === 'select' && tokens[i + 1]?.text === '(')
      ends.push(closeOf(tokens, i + 1, '(', ')'));
    if (ends.length === 0 || tokens[i].text !== '/') continue;
    const divisor = tokens[i + 1].text;
    const isConstant = divisor === 'f32' && /^[A-Z][A-Z_]*$/.test(tokens[i + 3].text);
    if (/^\d/.test(divisor) || divisor === 'max' || divisor === 'select' || isConstant) continue;
    const reason = 'a `select` evaluates both: divide by a `max` or a `select` that cannot be zero';
    found.push({ line: tokens[i].line, target: `/ ${divisor}`, reason });
  }
  return found;
}

/** The least f32 that is not subnormal. */
const LEAST_NORMAL = 2 ** -126;

/**
 * Numbers too small for single precision: implementations may take them for zero, so that they guard no division.
 * @see the WGSL specification, "Floating Point Evaluation": subnormals may be flushed to zero
 */
export function findSubnormals(code: string): WgslViolation[] {
  return [...tokensOf(code, /\b\d[\d.]*e-\d+/g)].flatMap(({ text, line }) =>
    Number(text) < LEAST_NORMAL && Number(text) !== 0
      ? [{ line, target: text, reason: 'this may be taken for zero: 1e-37 is not' }]
      : [],
  );
}

function tokensOf(code: string, pattern = TOKEN): Token[] {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  const plain = code.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/\/\/.*/g, blank);
  return plain
    .split('\n')
    .flatMap((text, row) => [...text.matchAll(pattern)].map((match) => ({ text: match[0], line: row + 1 })));
}

/** A statement in a loop's head stands after its last semicolon, which is covered, or opens it. */
function isLoopStep(tokens: readonly Token[], i: number): boolean {
  return tokens[i - 1].text === '(' && tokens[i - 2]?.text === 'for';
}

function declarationsOf(tokens: readonly Token[]): Declarations {
  const structs = new Map<string, Map<string, string>>();
  const aliases = new Map<string, string>();
  const storage = new Map<string, string>();
  for (let i = 0; i < tokens.length; i++) {
    const [word, name] = [tokens[i].text, tokens[i + 1]?.text ?? ''];
    if (word === 'struct') structs.set(name, membersOf(tokens, i + 2));
    if (word === 'alias') aliases.set(name, typeFrom(tokens, i + 3).type);
    if (word === 'var' && name === '<' && tokens[i + 2].text === 'storage') {
      const close = indexOf(tokens, '>', i);
      const isWritten = tokens.slice(i, close).some(({ text }) => text === 'read_write' || text === 'write');
      if (isWritten) storage.set(tokens[close + 1].text, typeFrom(tokens, close + 3).type);
    }
  }
  return { structs, aliases, storage };
}

function indexOf(tokens: readonly Token[], text: string, from: number): number {
  const at = tokens.findIndex((token, i) => i >= from && token.text === text);
  return at < 0 ? tokens.length : at;
}

function membersOf(tokens: readonly Token[], open: number): Map<string, string> {
  const members = new Map<string, string>();
  const close = indexOf(tokens, '}', open);
  for (let i = open + 1; i < close; i++) {
    if (tokens[i].text === '@') {
      // An attribute: its name, and what stands in parentheses after it.
      i += 1;
      if (tokens[i + 1].text === '(') i = indexOf(tokens, ')', i);
      continue;
    }
    if (tokens[i + 1].text !== ':') continue;
    const { type, end } = typeFrom(tokens, i + 2);
    members.set(tokens[i].text, type);
    i = end - 1;
  }
  return members;
}

/** A type's text, without white space, and where it ends. */
function typeFrom(tokens: readonly Token[], start: number): { type: string; end: number } {
  let depth = 0;
  let end = start + 1;
  if (tokens[end]?.text === '<') {
    do {
      const { text } = tokens[end++];
      depth += text === '<' ? 1 : text === '>' ? -1 : 0;
    } while (depth > 0 && end < tokens.length);
  }
  return {
    type: tokens
      .slice(start, end)
      .map(({ text }) => text)
      .join(''),
    end,
  };
}

/** Parameters that point to storage, with what they point to. */
function takeParameters(tokens: readonly Token[], fn: number, pointers: Map<string, string>): void {
  const body = indexOf(tokens, '{', fn);
  for (let i = fn; i < body; i++) {
    const isPointer =
      tokens[i].text === 'ptr' && tokens[i + 2]?.text === 'storage' && tokens[i - 1].text === ':';
    if (isPointer) pointers.set(tokens[i - 2].text, typeFrom(tokens, i + 4).type);
  }
}

/** `let p = &storage[…].…`, or an address of what another pointer leads to. */
function takePointer(
  tokens: readonly Token[],
  at: number,
  declarations: Declarations,
  pointers: Map<string, string>,
): void {
  const name = tokens[at + 1].text;
  pointers.delete(name);
  const start = indexOf(tokens, '=', at) + 1;
  if (tokens[start]?.text !== '&') return;
  const place = placeAt(tokens, start + 1, declarations, pointers);
  if (place) pointers.set(name, place.type);
}

/** What stands at a place: its type, where its text ends, and whether it is a component of a vector. */
function placeAt(
  tokens: readonly Token[],
  start: number,
  declarations: Declarations,
  pointers: ReadonlyMap<string, string>,
): { type: string; end: number; isComponent: boolean } | undefined {
  let at = start;
  let nOpen = 0;
  while (tokens[at]?.text === '(' || tokens[at]?.text === '*') {
    if (tokens[at].text === '(') nOpen++;
    at++;
  }
  const name = tokens[at]?.text ?? '';
  let type = pointers.get(name) ?? declarations.storage.get(name);
  if (type === undefined) return undefined;
  let isComponent = false;
  for (at++; at < tokens.length; at++) {
    const { text } = tokens[at];
    if (text === ')' && nOpen > 0) {
      nOpen--;
      continue;
    }
    if (text !== '.' && text !== '[') break;
    type = resolve(type, declarations);
    isComponent = /^vec[234]/.test(type);
    if (text === '.') {
      at++;
      type = declarations.structs.get(type)?.get(tokens[at].text) ?? 'unknown';
    } else {
      at = closeOf(tokens, at, '[', ']');
      type = elementOf(type);
    }
  }
  return { type, end: at, isComponent };
}

function resolve(type: string, declarations: Declarations): string {
  const meant = declarations.aliases.get(type);
  return meant === undefined ? type : resolve(meant, declarations);
}

function closeOf(tokens: readonly Token[], open: number, left: string, right: string): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    depth += tokens[i].text === left ? 1 : tokens[i].text === right ? -1 : 0;
    if (depth === 0) return i;
  }
  return tokens.length;
}

/** What an index into an array or a matrix gives. */
function elementOf(type: string): string {
  const matrix = /^mat[234]x([234])(.*)$/.exec(type);
  if (matrix) return `vec${matrix[1]}${matrix[2]}`;
  return /^array<(.*?)(,[^,<>]*)?>$/.exec(type)?.[1] ?? 'unknown';
}
