const WITHIN_MS = 1_000;
/** Safari has no idle callbacks. */
const WITHOUT_MS = 200;

/** Resolves when the page has nothing else to do, what it was told just now included. */
export const untilIdle = (): Promise<void> =>
  new Promise((resolve) => {
    // TanStack Query tells what is new by a timer: this one comes after it.
    setTimeout(() => whenIdle(resolve), 0);
  });

/** Runs it once when the page has nothing else to do. @returns cancels it */
export function whenIdle(run: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(run, WITHOUT_MS);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(run, { timeout: WITHIN_MS });
  return () => cancelIdleCallback(handle);
}
