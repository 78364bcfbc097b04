// Tabs that are pages of their own: links, so that each has an address, a history and a middle click.
import { Link, type LinkProps, useLocation } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";

export interface TabLink {
  readonly to: NonNullable<LinkProps["to"]>;
  readonly params: Readonly<Record<string, string>>;
  readonly label: ReactNode;
}

interface TabLinksProps {
  readonly label: string;
  readonly tabs: readonly TabLink[];
}

export function TabLinks({ label, tabs }: TabLinksProps) {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time another tab is open.
  useEffect(() => {
    const open = nav.current?.querySelector("[aria-current=page]");
    if (nav.current && open) centreWithin(nav.current, open);
  }, [pathname]);
  return (
    <nav ref={nav} aria-label={label} className="-mx-4 mb-5 overflow-x-auto border-line border-b px-4 sm:mx-0 sm:px-0">
      <ul className="flex gap-5">
        {tabs.map(({ to, params, label: text }) => (
          <li key={to}>
            <Link
              to={to}
              params={params as never}
              activeOptions={{ exact: true, includeSearch: false }}
              className="-mb-px inline-flex items-center gap-1.5 whitespace-nowrap border-transparent border-b-2 py-2.5 font-medium text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/**
 * On a phone the tab that is open may be out of sight. Not by `scrollIntoView`: since Chromium 150 the keyboard's next
 * Tab goes on from what that showed, past "Skip to the content" and all that stands before.
 */
function centreWithin(row: Element, item: Element): void {
  const [outer, inner] = [row.getBoundingClientRect(), item.getBoundingClientRect()];
  row.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
