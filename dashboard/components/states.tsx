// What stands where data would: it is coming, there is none, or it could not be had.
import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "../lib/class-names.ts";
import { Button } from "./button.tsx";
import { CopyText } from "./copy-text.tsx";

const WIDTHS = ["w-3/5", "w-2/5", "w-1/2", "w-1/3"];

export const LoadingState = ({ rows = 6, label = "Loading" }: { readonly rows?: number; readonly label?: string }) => (
  <div
    role="status"
    aria-label={label}
    className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface"
  >
    {Array.from({ length: rows }, (_, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: bars that never move.
      <div key={index} className="flex h-13 items-center gap-4 px-4">
        <span className="size-2 rounded-full bg-sunken" />
        <span className={classNames("h-3 animate-pulse-soft rounded bg-sunken", WIDTHS[index % WIDTHS.length])} />
      </div>
    ))}
  </div>
);

interface EmptyStateProps {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
  /** The next step to take. */
  readonly action?: ReactNode;
  /** It is all that the page shows. */
  readonly isWholePage?: boolean;
}

export const EmptyState = ({ icon, title, children, action, isWholePage = false }: EmptyStateProps) => (
  <div className="flex flex-col items-center gap-2 rounded-lg border border-line border-dashed bg-surface px-6 py-12 text-center">
    <span aria-hidden className="mb-1 text-faint [&_svg]:size-7">
      {icon}
    </span>
    {isWholePage ? <h1 className="font-semibold">{title}</h1> : <p className="font-semibold">{title}</p>}
    {children && <div className="max-w-md text-balance text-muted">{children}</div>}
    {action && <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
  </div>
);

interface ErrorStateProps {
  readonly title: string;
  readonly detail?: string | null;
  readonly requestId?: string | null;
  readonly onRetry?: () => void;
  readonly isRetrying?: boolean;
}

export const ErrorState = ({ title, detail, requestId, onRetry, isRetrying = false }: ErrorStateProps) => (
  <div role="alert" className="flex gap-3 rounded-lg border border-bad/40 bg-bad-soft px-4 py-3.5">
    <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
    <div className="flex min-w-0 flex-1 flex-col gap-1">
      <p className="font-medium text-bad">{title}</p>
      {detail && <p className="break-words text-ink">{detail}</p>}
      {requestId && (
        <p className="flex flex-wrap items-center gap-x-1.5 text-muted text-xs">
          Request <CopyText text={requestId} what="request id" />
        </p>
      )}
    </div>
    {onRetry && (
      <Button size="small" onClick={onRetry} isBusy={isRetrying}>
        {!isRetrying && <RotateCw aria-hidden />} Try again
      </Button>
    )}
  </div>
);

interface NoticeProps {
  readonly tone: "info" | "warn";
  readonly icon?: ReactNode;
  readonly children: ReactNode;
}

export const Notice = ({ tone, icon, children }: NoticeProps) => (
  <div
    className={classNames(
      "flex gap-3 rounded-lg px-4 py-3 [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0",
      tone === "info" ? "bg-info-soft [&_svg]:text-info" : "bg-warn-soft [&_svg]:text-warn",
    )}
  >
    {icon}
    <div className="min-w-0 flex-1">{children}</div>
  </div>
);
