// Pieces that pages are laid out with.
import type { ReactNode } from "react";
import { useTitle } from "../browser/use-title.ts";
import { classNames } from "../lib/class-names.ts";

interface PageHeaderProps {
  /** What the browser's tab is called; the title, when that is text. */
  readonly name?: string;
  readonly title: ReactNode;
  readonly above?: ReactNode;
  readonly below?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHeader({ name, title, above, below, actions }: PageHeaderProps) {
  useTitle(name ?? (typeof title === "string" ? title : ""));
  return (
    <header className="mb-5 flex flex-wrap items-end gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-60">
        {above && <div className="mb-1 text-muted text-xs">{above}</div>}
        <h1 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 break-words font-semibold text-xl tracking-tight">
          {title}
        </h1>
        {below && <div className="mt-1 text-muted">{below}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

interface CardProps {
  readonly title?: ReactNode;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

export const Card = ({ title, note, actions, isFlush = false, children }: CardProps) => (
  <section className="rounded-lg border border-line bg-surface">
    {title && (
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2.5">
        <h2 className="font-semibold">{title}</h2>
        {note && <p className="text-muted text-xs">{note}</p>}
        {actions && <div className="ml-auto flex gap-2">{actions}</div>}
      </header>
    )}
    <div className={isFlush ? undefined : "p-4"}>{children}</div>
  </section>
);

export const Facts = ({ children, columns = 1 }: { readonly children: ReactNode; readonly columns?: 1 | 2 }) => (
  <dl className={classNames("grid gap-x-8 gap-y-3", columns === 2 && "sm:grid-cols-2")}>{children}</dl>
);

export const Fact = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => (
  <div className="grid min-w-0 grid-cols-[8.5rem_minmax(0,1fr)] items-start gap-3">
    <dt className="text-muted">{label}</dt>
    <dd className="min-w-0 break-words">{children}</dd>
  </div>
);

/** Unknown or none: a dash, and words for those who hear the page. */
export const Nothing = ({ label = "none" }: { readonly label?: string }) => (
  <span className="text-faint">
    <span aria-hidden>–</span>
    <span className="sr-only">{label}</span>
  </span>
);
