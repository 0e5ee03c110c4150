/** Calls an action for a key that is pressed alone, outside text fields and dialogs. */
export function listenToKeys(actions: Readonly<Record<string, () => void>>): void {
  addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]')) return;
    if ((target as Element).matches?.('input[type=text], select')) return;
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
