import { byId } from './dom.ts';

/** Takes files dropped anywhere on the page, or chosen with the button. */
export function acceptFiles(onFile: (file: File) => void): void {
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
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  });
  byId('open').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    input.value = '';
    if (file) onFile(file);
  });
}
