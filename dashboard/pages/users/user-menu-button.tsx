import { useNavigate } from "@tanstack/react-router";
import { Ban, Ellipsis, KeyRound, MonitorSmartphone, Trash2, UserCog, UserRoundCheck } from "lucide-react";
import type { User } from "#schema/api/users";
import { IconButton } from "../../components/button.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../components/menu.tsx";

export type UserAction = "role" | "link" | "block" | "unblock" | "remove";

interface UserMenuButtonProps {
  readonly user: User;
  /** Nobody would be left who may do everything: role, block and removal are off. */
  readonly isLastOwner: boolean;
  readonly onChoose: (action: UserAction) => void;
}

export function UserMenuButton({ user, isLastOwner, onChoose }: UserMenuButtonProps) {
  const navigate = useNavigate();
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for ${user.name}`} className="relative z-10">
          <Ellipsis aria-hidden />
        </IconButton>
      }
    >
      {isLastOwner && (
        <>
          <MenuLabel>
            <span className="block max-w-52 text-xs">
              The last owner. Make somebody else an owner to change this one.
            </span>
          </MenuLabel>
          <MenuSeparator />
        </>
      )}
      <MenuItem icon={<UserCog aria-hidden />} disabled={isLastOwner} onSelect={() => onChoose("role")}>
        Change role
      </MenuItem>
      <MenuItem icon={<KeyRound aria-hidden />} disabled={user.isBlocked} onSelect={() => onChoose("link")}>
        Make a sign-in link
      </MenuItem>
      <MenuItem
        icon={<MonitorSmartphone aria-hidden />}
        onSelect={() => void navigate({ to: "/sessions", search: { userId: user.id } })}
      >
        Sessions
      </MenuItem>
      <MenuSeparator />
      {user.isBlocked ? (
        <MenuItem icon={<UserRoundCheck aria-hidden />} onSelect={() => onChoose("unblock")}>
          Let in again
        </MenuItem>
      ) : (
        <MenuItem icon={<Ban aria-hidden />} disabled={isLastOwner} onSelect={() => onChoose("block")}>
          Block
        </MenuItem>
      )}
      <MenuItem icon={<Trash2 aria-hidden />} isDangerous disabled={isLastOwner} onSelect={() => onChoose("remove")}>
        Remove
      </MenuItem>
    </Menu>
  );
}
