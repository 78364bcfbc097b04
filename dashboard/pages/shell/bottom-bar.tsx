// The way around on a phone, within reach of a thumb.
import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { Menu, MenuItem } from "../../components/menu.tsx";
import { BAR_ITEMS, toNavItems } from "./nav-items.ts";

const ITEM =
  "flex h-full w-full flex-col items-center justify-center gap-1 text-muted text-xs aria-[current=page]:font-medium aria-[current=page]:text-accent";

export function BottomBar({ permissions }: { readonly permissions: readonly string[] }) {
  const navigate = useNavigate();
  const items = toNavItems(permissions);
  const more = items.slice(BAR_ITEMS);
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-30 border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden"
    >
      <ul className="flex h-14">
        {items.slice(0, BAR_ITEMS).map(({ to, label, icon: Icon }) => (
          <li key={to} className="flex-1">
            <Link to={to} activeOptions={{ includeSearch: false }} className={ITEM}>
              <Icon aria-hidden className="size-5" />
              {label}
            </Link>
          </li>
        ))}
        {more.length > 0 && (
          <li className="flex-1">
            <Menu
              side="top"
              trigger={
                <button type="button" className={ITEM}>
                  <Ellipsis aria-hidden className="size-5" />
                  More
                </button>
              }
            >
              {more.map(({ to, label, icon: Icon }) => (
                <MenuItem key={to} icon={<Icon aria-hidden />} onSelect={() => void navigate({ to })}>
                  {label}
                </MenuItem>
              ))}
            </Menu>
          </li>
        )}
      </ul>
    </nav>
  );
}
