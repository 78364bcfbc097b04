// A menu behind a button. Not modal: Radix's modal menus lock the page with an inline <style> (see dialog.tsx).
import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { classNames } from "../lib/class-names.ts";

interface MenuProps {
  /** A button; it gets the menu's attributes. */
  readonly trigger: ReactNode;
  readonly children: ReactNode;
  readonly side?: "top" | "bottom";
  readonly align?: "start" | "end";
}

export const Menu = ({ trigger, children, side = "bottom", align = "end" }: MenuProps) => (
  <DropdownMenu.Root modal={false}>
    <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
    <DropdownMenu.Portal>
      <DropdownMenu.Content
        side={side}
        align={align}
        sideOffset={6}
        collisionPadding={8}
        className="z-50 min-w-44 animate-appear rounded-lg border border-line bg-raised p-1 shadow-raised"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Portal>
  </DropdownMenu.Root>
);

const ITEM =
  "flex cursor-pointer select-none items-center gap-2.5 rounded-md px-2.5 py-1.5 outline-none data-highlighted:bg-sunken " +
  "data-disabled:cursor-default data-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0";

interface MenuItemProps {
  readonly icon?: ReactNode;
  readonly isDangerous?: boolean;
  readonly disabled?: boolean;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

export const MenuItem = ({ icon, isDangerous = false, disabled = false, onSelect, children }: MenuItemProps) => (
  <DropdownMenu.Item disabled={disabled} onSelect={onSelect} className={classNames(ITEM, isDangerous && "text-bad")}>
    {icon}
    {children}
  </DropdownMenu.Item>
);

interface MenuChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly icon: ReactNode }[];
  readonly onChange: (value: Value) => void;
}

export function MenuChoice<Value extends string>({ label, value, options, onChange }: MenuChoiceProps<Value>) {
  return (
    <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as Value)} aria-label={label}>
      <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 font-medium text-faint text-xs">{label}</DropdownMenu.Label>
      {options.map((option) => (
        <DropdownMenu.RadioItem key={option.value} value={option.value} className={ITEM}>
          {option.icon}
          <span className="flex-1">{option.label}</span>
          <DropdownMenu.ItemIndicator>
            <Check aria-hidden />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export const MenuSeparator = () => <DropdownMenu.Separator className="my-1 h-px bg-line" />;
export const MenuLabel = ({ children }: { readonly children: ReactNode }) => (
  <DropdownMenu.Label className="px-2.5 py-1.5 text-muted">{children}</DropdownMenu.Label>
);
