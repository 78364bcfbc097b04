import { Link } from "@tanstack/react-router";
import { toNavItems } from "./nav-items.ts";

export const NavRail = ({ permissions }: { readonly permissions: readonly string[] }) => (
  <nav aria-label="Main" className="px-3">
    <ul className="flex flex-col gap-0.5">
      {toNavItems(permissions).map(({ to, label, icon: Icon }) => (
        <li key={to}>
          <Link
            to={to}
            activeOptions={{ includeSearch: false }}
            className="flex items-center gap-3 rounded-md px-2.5 py-2 font-medium text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
          >
            <Icon aria-hidden className="size-4" />
            {label}
          </Link>
        </li>
      ))}
    </ul>
  </nav>
);
