// Runs before the first paint and before the page's own scripts are there: has the code of the page fetched that was opened, asks what every
// page asks first, and sets the theme, so that no page flashes in the other one. It is a script of its own, named by its content.
import { attempt } from "../browser/attempt.ts";
import { API_TOKEN_KEY, THEME_KEY } from "../browser/storage-keys.ts";
import type { EarlyAnswers } from "./early-answers.ts";
import { FIRST_QUESTIONS } from "./first-questions.ts";
import { toPageChunks } from "./page-chunks.ts";

const { pages = "{}" } = (document.currentScript as HTMLScriptElement).dataset;

const files: Readonly<Record<string, readonly string[]>> = JSON.parse(pages);
for (const href of new Set(toPageChunks(location.pathname).flatMap((name) => files[name] ?? []))) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
}

const isSignIn = location.pathname === "/sign-in";
if (!isSignIn && attempt(() => sessionStorage.getItem(API_TOKEN_KEY)) === null) {
  const answers = FIRST_QUESTIONS.map((path) => {
    const answer = fetch(path, { headers: { accept: "application/json" }, credentials: "same-origin" });
    // Who takes it hears of that; perhaps nobody does.
    answer.catch(() => undefined);
    return [path, answer] as const;
  });
  (globalThis as EarlyAnswers).becketAnswers = new Map(answers);
}

// Last: the first look into storage waits for the browser's other process, and nothing is painted before this script is done.
const theme = attempt(() => localStorage.getItem(THEME_KEY));
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
