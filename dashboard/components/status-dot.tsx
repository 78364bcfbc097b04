import { classNames } from "../lib/class-names.ts";
import type { Tone } from "./badge.tsx";

const FILLS: Readonly<Record<Tone, string>> = {
  neutral: "border-line-strong",
  good: "border-good bg-good",
  warn: "border-warn bg-warn",
  bad: "border-bad bg-bad",
  info: "border-info bg-info",
  accent: "border-accent bg-accent",
};

interface StatusDotProps {
  /** `neutral` is a ring, the others are filled: colour is never the only difference. */
  readonly tone: Tone;
  readonly isPulsing?: boolean;
}

/** A picture only: the words stand beside it. */
export const StatusDot = ({ tone, isPulsing = false }: StatusDotProps) => (
  <span
    aria-hidden
    className={classNames(
      "inline-block size-2 shrink-0 rounded-full border-[1.5px]",
      FILLS[tone],
      isPulsing && "animate-pulse-soft",
    )}
  />
);
