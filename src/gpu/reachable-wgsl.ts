/** A declaration of a module: a function, struct, constant or variable with its attributes. */
interface Declaration {
  readonly name: string;
  readonly text: string;
}

/**
 * What of a program its entry point needs, without comments: kernels are put together from parts that many have in common,
 * and whatever reads a program's text takes as long as it has text.
 * @param code declarations only, none of them with block comments.
 */
export function reachableWgsl(code: string, entryPoint: string): string {
  const declarations = declarationsOf(code);
  const byName = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  const wanted = new Set<Declaration>();
  const names = [entryPoint];
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const found = byName.get(name);
    if (found === undefined || wanted.has(found)) continue;
    wanted.add(found);
    names.push(...(found.text.match(IDENTIFIER) ?? []));
  }
  return declarations.flatMap((each) => (wanted.has(each) ? `${each.text}\n` : [])).join('');
}

const IDENTIFIER = /[A-Za-z_]\w*/g;
/** The name that a declaration declares, after its attributes. */
const DECLARED = /\b(?:(?:fn|struct|const|override|alias|var)\s+|var<[^>]*>\s*)(\w+)/;

/** A declaration ends with a semicolon, or with the brace of its body. */
function declarationsOf(code: string): Declaration[] {
  const bare = code
    .replace(/\/\/.*/g, '')
    .replace(/^\s+/gm, '')
    .replace(/[ \t]+$/gm, '');
  const declarations: Declaration[] = [];
  let first = 0;
  let depth = 0;
  for (let i = 0; i < bare.length; i++) {
    const c = bare[i];
    if (c === '{' || c === '(') depth++;
    if (c === '}' || c === ')') depth--;
    if (depth > 0 || (c !== ';' && c !== '}')) continue;
    const text = bare.slice(first, i + 1).trim();
    first = i + 1;
    const name = DECLARED.exec(text)?.[1];
    if (name !== undefined) declarations.push({ name, text });
  }
  return declarations;
}
