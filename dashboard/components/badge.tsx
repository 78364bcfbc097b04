import type { ReactNode } from "react";
import { classNames } from "../lib/class-names.ts";

export type Tone = "neutral" | "good" | "warn" | "bad" | "info" | "accent";

const TONES: Readonly<Record<Tone, string>> = {
  neutral: "bg-sunken text-muted",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
  accent: "bg-accent-soft text-accent",
};

interface BadgeProps {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ReactNode;
}

export const Badge = ({ tone = "neutral", title, children }: BadgeProps) => (
  <span
    title={title}
    className={classNames(
      "inline-flex items-center gap-1 whitespace-nowrap rounded-full px-2 py-0.5 font-medium text-xs [&_svg]:size-3",
      TONES[tone],
    )}
  >
    {children}
  </span>
);
