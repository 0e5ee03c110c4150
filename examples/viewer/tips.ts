import { byId } from './dom.ts';

/** What the words of the page mean. */
const TIPS: Readonly<Record<string, string>> = {
  tolerance:
    'Tolerance: how far the mesh may be from the surface where the field is zero, in the units of the file. Smaller is finer, larger and slower.',
  resolution: 'Detail as of a grid with that many boxes along the longest side.',
  exact:
    'Every flat piece of the network becomes a polygon: nothing is approximated, but there are many of them.',
  screen: 'Auto picks a level of detail by its error on your screen, in pixels, and changes it as you zoom.',
  vertices: 'At most this many corners: the mesh is simplified, and stays closed.',
  crease: 'Edges sharper than this angle are shaded as edges; others look smooth.',
  backend:
    'Where the mesh is computed: on the graphics processor (WebGPU), in a worker beside the page, or in the page itself. Changing it always computes anew, so that times can be compared.',
  again: 'Computes the mesh once more without the cache, to see how long it really takes.',
  level: 'Colours each field by its level of detail, red for the coarsest to violet for the finest.',
  slice:
    'Cuts the model open. The cut shows the field itself: blue inside, orange outside, a line at equal steps of distance.',
  probe:
    'Point at the surface or the slice, or tap it: shows the distance that the network gives there. On the surface it should be about zero.',
  boxes:
    'Boxes of space that were tested for whether the surface can pass through them, and how many of them it may.',
  error: 'The largest distance between the mesh and the zero of the field, measured at points of either.',
  complete:
    'Certified: every box of space that the surface may pass through was looked into, so no part of it can be missing. A coarse level or a preview is not certified.',
  closed: 'Every edge has a triangle on both sides: the mesh has no holes.',
  manifold:
    'Around every vertex the triangles form a single fan: fit for printing, physics and boolean operations.',
  cache: 'Meshes are kept in this browser, so that the next visit does not compute them again.',
};

/** Shows the meaning of terms (`data-tip`) under the pointer, at keyboard focus, and to screen readers. */
export function explainTerms(): void {
  const tip = byId('tip');
  const texts = byId('tip-texts');
  for (const [key, text] of Object.entries(TIPS)) {
    const element = document.createElement('span');
    element.id = `tip-${key}`;
    element.textContent = text;
    texts.append(element);
  }
  const show = (event: Event): void => {
    const term = (event.target as Element).closest?.<HTMLElement>('[data-tip]');
    tip.hidden = !term;
    if (!term) return;
    tip.textContent = TIPS[term.dataset.tip ?? ''] ?? '';
    const { left, bottom, top } = term.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = tip;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    tip.style.top = `${bottom + height + 8 > innerHeight ? top - height - 4 : bottom + 4}px`;
  };
  for (const type of ['pointerover', 'focusin', 'click']) addEventListener(type, show);
  addEventListener('focusout', () => (tip.hidden = true));
  addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') tip.hidden = true;
  });
  describeTerms(document.body);
}

/** Ties the terms below an element to their meaning. */
export function describeTerms(root: ParentNode): void {
  for (const term of root.querySelectorAll<HTMLElement>('[data-tip]')) {
    const id = `tip-${term.dataset.tip}`;
    term.setAttribute('aria-describedby', id);
    term.closest('label')?.querySelector('input, select')?.setAttribute('aria-describedby', id);
  }
}
