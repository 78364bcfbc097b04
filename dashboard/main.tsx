// The composition root: what the page is made of, wired once.
import "./browser/zod-config.ts";
import { createRoot } from "react-dom/client";
import { createClient } from "./api/client.ts";
import { createQueries } from "./api/create-queries.ts";
import { createLive } from "./api/live/create-live.ts";
import { App } from "./app.tsx";
import { createCredentials } from "./browser/credentials.ts";
import { openWebSocket } from "./browser/open-web-socket.ts";
import { startTimer } from "./browser/start-timer.ts";
import { isTabHidden, onVisibilityChange } from "./browser/visibility.ts";
import { untilIdle } from "./browser/when-idle.ts";
import { createAppRouter } from "./router.tsx";
import { createEarlyFetch, type EarlyAnswers } from "./start/early-answers.ts";
import "./styles.css";

const RELOADED_AT = "becket.reloaded-at";
const RELOAD_PAUSE_MS = 30_000;

const credentials = createCredentials();
const client = createClient({
  fetch: createEarlyFetch((path, init) => fetch(path, init), globalThis as EarlyAnswers),
  readToken: credentials.read,
  untilIdle,
});
const queries = createQueries((queryKey) => live.isAwaited(queryKey));
const live = createLive({
  ...{ queries, startTimer, isHidden: isTabHidden, onVisibilityChange, openSocket: openWebSocket },
  now: () => Date.now(),
  random: () => Math.random(),
  canConnect: () => credentials.read() === null,
});
const router = createAppRouter({ client, queries });

// A chunk that is gone belongs to a version before: the new page knows the new ones. Once only, in case it is the network.
window.addEventListener("vite:preloadError", (event) => {
  const lastAt = Number(sessionStorage.getItem(RELOADED_AT) ?? 0);
  if (Date.now() - lastAt < RELOAD_PAUSE_MS) return;
  event.preventDefault();
  sessionStorage.setItem(RELOADED_AT, String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <App client={client} queries={queries} live={live} credentials={credentials} router={router} />,
);
