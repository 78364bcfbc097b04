// What happened, newest first, with a button for what is older.
import type { ReactNode } from "react";
import { formatMoment } from "../lib/format.ts";
import { Age } from "./age.tsx";
import { Button } from "./button.tsx";

interface TimelineProps {
  /** Null: there is nothing older. */
  readonly loadMore: (() => void) | null;
  readonly isLoadingMore: boolean;
  readonly children: ReactNode;
}

export const Timeline = ({ loadMore, isLoadingMore, children }: TimelineProps) => (
  <div className="flex flex-col gap-4">
    <ol className="rounded-lg border border-line bg-surface">{children}</ol>
    {loadMore && (
      <Button onClick={loadMore} isBusy={isLoadingMore} className="self-center">
        Show older
      </Button>
    )}
  </div>
);

interface TimelineAgeProps {
  readonly at: string;
  /** Without the moment: its age is enough. */
  readonly isShort?: boolean;
}

/** When it was: how long ago, and where there is room the moment. */
export const TimelineAge = ({ at, isShort = false }: TimelineAgeProps) => (
  <div className="shrink-0 text-right text-muted text-xs">
    <Age at={at} />
    {!isShort && <span className="hidden sm:block">{formatMoment(at)}</span>}
  </div>
);
