/** Whether the user asked for less motion, now: systems and browsers change it under an open page. */
const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');

export const isLessMotionWanted = (): boolean => lessMotion.matches;

/** Calls `apply` at once, and again whenever the wish changes. */
export function followMotion(apply: (isStill: boolean) => void): void {
  apply(lessMotion.matches);
  lessMotion.addEventListener('change', () => apply(lessMotion.matches));
}
