/** Finds a browser without installing anything; undefined where there is none. */
export function locateBrowser(): Promise<string | undefined>;
/** Finds a browser, or installs one; throws an Error that says what was tried. */
export function findBrowser(report?: (line: string) => void): Promise<string>;
