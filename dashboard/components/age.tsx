import type { PointerEvent } from "react";
import { useNow } from "../browser/use-now.ts";
import { formatAge, formatMoment, formatUntil } from "../lib/format.ts";

interface MomentProps {
  readonly at: string;
}

/** How long ago; the moment itself on hover. */
export function Age({ at, suffix = " ago" }: MomentProps & { readonly suffix?: string }) {
  const age = formatAge(Date.parse(at), useNow());
  return (
    <time dateTime={at} onPointerEnter={sayMoment} className="whitespace-nowrap">
      {age === "now" ? "now" : `${age}${suffix}`}
    </time>
  );
}

/** `past`: what to say when it is over. */
export function Until({ at, past }: MomentProps & { readonly past?: string }) {
  const now = useNow();
  const moment = Date.parse(at);
  return (
    <time dateTime={at} onPointerEnter={sayMoment} className="whitespace-nowrap">
      {past !== undefined && moment <= now ? past : formatUntil(moment, now)}
    </time>
  );
}

/** When it is pointed at: a list has many, and each would take longer to say than the rest of its row. */
function sayMoment({ currentTarget }: PointerEvent<HTMLTimeElement>): void {
  currentTarget.title = formatMoment(currentTarget.dateTime);
}
