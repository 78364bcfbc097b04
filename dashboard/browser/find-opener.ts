/** What the keyboard was on when a dialog opened, to go back to. A menu goes with its items; its button stays. */
export function findOpener(): HTMLElement | null {
  const menu = document.activeElement?.closest("[role=menu]");
  const opener = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : document.activeElement;
  return opener instanceof HTMLElement ? opener : null;
}
