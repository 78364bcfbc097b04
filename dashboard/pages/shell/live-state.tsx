import { useLiveState } from "../../api/live/use-live.ts";
import { StatusDot } from "../../components/status-dot.tsx";

const WORDS = {
  live: { tone: "good", label: "Live", hint: "Changes appear by themselves." },
  connecting: { tone: "info", label: "Connecting…", hint: "Until then, this page asks again every few seconds." },
  asking: {
    tone: "neutral",
    label: "Every few seconds",
    hint: "This page asks again: no live connection can be made.",
  },
} as const;

/** How the page learns what changes. */
export function LiveState() {
  const state = useLiveState();
  const { tone, label, hint } = WORDS[state];
  return (
    <p title={hint} className="flex items-center gap-2 px-5 py-2 text-faint text-xs">
      <StatusDot tone={tone} isPulsing={state === "connecting"} />
      <span className="sr-only">Updates: </span>
      {label}
    </p>
  );
}
