import { byId } from './dom.ts';

/** Takes files dropped anywhere on the page, or chosen with the button: all of one drop together. */
export function acceptFiles(onFiles: (files: readonly File[]) => void): void {
  const zone = byId('drop');
  const input = byId<HTMLInputElement>('file');
  let depth = 0;
  const show = (change: number): void => {
    depth = Math.max(0, depth + change);
    zone.hidden = depth === 0;
  };
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    show(1);
  });
  addEventListener('dragleave', () => show(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
  byId('open').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
}
