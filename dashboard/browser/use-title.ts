import { useEffect } from "react";

/** What the tab is called, in the browser's history too. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Becket`;
  }, [title]);
}
