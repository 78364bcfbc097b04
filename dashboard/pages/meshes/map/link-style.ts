// How links and machines of a state look. Colour never says it alone: dashes and fills differ, too.
import type { Tone } from "../../../components/badge.tsx";
import type { LinkState } from "./map-model.ts";

export interface LinkStyle {
  readonly tone: Tone;
  readonly stroke: string;
  readonly fill: string;
  /** `stroke-dasharray`; undefined: solid. */
  readonly dash?: string;
}

const RING = "fill-surface stroke-line-strong";

export const LINK_STYLES: Readonly<Record<LinkState, LinkStyle>> = {
  direct: { tone: "good", stroke: "stroke-good", fill: "fill-good stroke-good" },
  relayed: { tone: "info", stroke: "stroke-info", fill: "fill-info stroke-info", dash: "7 4" },
  transit: { tone: "warn", stroke: "stroke-warn", fill: "fill-warn stroke-warn", dash: "12 3 2 3" },
  down: { tone: "bad", stroke: "stroke-bad", fill: "fill-bad stroke-bad", dash: "2 5" },
  connecting: { tone: "info", stroke: "stroke-line-strong", fill: "fill-surface stroke-info", dash: "4 4" },
  idle: { tone: "neutral", stroke: "stroke-line", fill: "fill-line-strong stroke-line-strong" },
  unknown: { tone: "neutral", stroke: "stroke-line", fill: "fill-sunken stroke-line-strong" },
  offline: { tone: "neutral", stroke: "stroke-line", fill: RING },
};
