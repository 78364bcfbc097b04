import { useCallback, useEffect, useRef, useState } from "react";

const SHOWN_MS = 1_600;

export interface Copying {
  /** For a moment after it was copied. */
  readonly isCopied: boolean;
  copy(text: string): void;
}

export function useCopy(): Copying {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = useCallback((text: string) => {
    void writeText(text).then(() => {
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setCopied(false), SHOWN_MS);
    });
  }, []);
  return { isCopied, copy };
}

/** Pages without TLS (a control plane on one's own network) have no clipboard API; a selection is copied there. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  // Inside the dialog, if there is one: it keeps the focus to itself.
  const host = document.activeElement?.closest("[role=dialog]") ?? document.body;
  host.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
