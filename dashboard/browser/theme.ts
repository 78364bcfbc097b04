// Which theme somebody wants: the system's, or one for good. start/start.ts applies it before the first paint.
import { attempt } from "./attempt.ts";
import { THEME_KEY as KEY } from "./storage-keys.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function readTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  // Where storage is forbidden, it holds until the page is left.
  attempt(() => (theme === "system" ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, theme)));
}
