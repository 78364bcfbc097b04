// How wide the window is, in Tailwind's steps: for what CSS alone can't lay out (virtual rows need to know their shape).
import { useSyncExternalStore } from "react";

const STEPS = { md: 768, lg: 1_024, xl: 1_280 } as const;
export type ViewportStep = "sm" | keyof typeof STEPS;
const ORDER: readonly ViewportStep[] = ["sm", "md", "lg", "xl"];

const queries = Object.entries(STEPS).map(
  ([step, width]) => [step as ViewportStep, matchMedia(`(min-width: ${width}px)`)] as const,
);

function subscribe(listener: () => void): () => void {
  for (const [, query] of queries) query.addEventListener("change", listener);
  return () => {
    for (const [, query] of queries) query.removeEventListener("change", listener);
  };
}

const read = (): ViewportStep => queries.findLast(([, { matches }]) => matches)?.[0] ?? "sm";

export const useViewport = (): ViewportStep => useSyncExternalStore(subscribe, read);

/** As it is now. */
export const readWindowSize = () => ({ width: window.innerWidth, height: window.innerHeight });

export const isAtLeast = (viewport: ViewportStep, step: ViewportStep): boolean =>
  ORDER.indexOf(viewport) >= ORDER.indexOf(step);
