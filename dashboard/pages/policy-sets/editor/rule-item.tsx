// One rule: a line that says what it does, and what it opens into. The arrows move it, and stay under the finger that moved it.
import { ArrowDown, ArrowUp, ChevronRight, Trash2 } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import { Badge } from "../../../components/badge.tsx";
import { IconButton } from "../../../components/button.tsx";
import { SwitchField } from "../../../components/field.tsx";
import { classNames } from "../../../lib/class-names.ts";
import { ACTION_WORDS, describeChanges, describeMatch } from "../policy-words.ts";
import type { ParsedRule, RuleDraft } from "./policy-draft-model.ts";
import { RuleFields } from "./rule-fields.tsx";

interface RuleItemProps {
  readonly rule: RuleDraft;
  readonly parsed: ParsedRule;
  /** From 1. */
  readonly number: number;
  readonly count: number;
  readonly isOpen: boolean;
  /** The dry run's route is decided by it. */
  readonly isDeciding: boolean;
  readonly canChange: boolean;
  readonly onToggle: () => void;
  readonly onChange: (changes: Partial<RuleDraft>) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
}

export function RuleItem(props: RuleItemProps) {
  const { rule, parsed, number, count, isOpen, isDeciding, canChange, onToggle, onChange, onRemove } = props;
  const bodyId = useId();
  return (
    <li
      className={classNames(
        "rounded-lg border bg-surface",
        isDeciding ? "border-accent outline-2 outline-accent" : "border-line",
      )}
      aria-current={isDeciding || undefined}
    >
      <div className="flex items-center gap-2 p-2">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={bodyId}
          onClick={onToggle}
          className="flex min-w-0 flex-1 items-center gap-2.5 rounded-md p-1.5 text-left hover:bg-sunken"
        >
          <ChevronRight
            aria-hidden
            className={classNames("size-4 shrink-0 text-faint transition-transform", isOpen && "rotate-90")}
          />
          <span className="w-5 shrink-0 text-right text-muted">{number}</span>
          <span className={classNames("min-w-0 flex-1", !rule.enabled && "text-muted")}>
            <Summary rule={rule} parsed={parsed} isDeciding={isDeciding} />
          </span>
        </button>
        {canChange && <Movers {...props} isFirst={number === 1} isLast={number === count} />}
      </div>
      <div id={bodyId} hidden={!isOpen} className="border-line border-t px-4 py-4">
        {isOpen && (
          <fieldset disabled={!canChange} className="flex flex-col gap-5">
            <RuleFields rule={rule} errors={parsed.ok ? {} : parsed.errors} onChange={onChange} />
            <div className="flex flex-wrap items-start justify-between gap-3">
              <SwitchField
                label="Enabled"
                hint="Off: as if the rule were not there."
                isOn={rule.enabled}
                disabled={!canChange}
                onChange={(enabled) => onChange({ enabled })}
              />
              {canChange && (
                <IconButton label={`Remove rule ${number}`} onClick={onRemove}>
                  <Trash2 aria-hidden />
                </IconButton>
              )}
            </div>
          </fieldset>
        )}
      </div>
    </li>
  );
}

type SummaryProps = Pick<RuleItemProps, "rule" | "parsed" | "isDeciding">;

const Summary = ({ rule, parsed, isDeciding }: SummaryProps) => {
  const action = ACTION_WORDS[rule.action];
  const changes = parsed.ok ? describeChanges(parsed.rule) : null;
  return (
    <>
      <span className="flex flex-wrap items-baseline gap-x-2 gap-y-1 sm:flex-nowrap">
        <Badge tone={rule.enabled ? action.tone : "neutral"}>{action.label}</Badge>
        <span className="order-last min-w-0 basis-full break-words sm:order-none sm:basis-auto">
          {parsed.ok ? describeMatch(parsed.rule.match) : "not valid yet"}
        </span>
        {!rule.enabled && <Badge>off</Badge>}
        {!parsed.ok && <Badge tone="bad">to mend</Badge>}
        {isDeciding && <Badge tone="accent">decides</Badge>}
      </span>
      {(changes || rule.description) && (
        <span className="block break-words text-muted text-xs">
          {[rule.description, changes].filter(Boolean).join(" · ")}
        </span>
      )}
    </>
  );
};

interface MoversProps extends Pick<RuleItemProps, "number" | "onMove"> {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** At an end the arrow says so and stays: a disabled one would lose the focus to the page. */
function Movers({ number, onMove, isFirst, isLast }: MoversProps) {
  const pressed = useRef<HTMLButtonElement | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the number changed, the item was put elsewhere in the document.
  useEffect(() => {
    pressed.current?.focus();
    pressed.current = null;
  }, [number]);
  const arrow = (by: -1 | 1, isAtEnd: boolean) => {
    const Icon = by === -1 ? ArrowUp : ArrowDown;
    return (
      <IconButton
        label={`Move rule ${number} ${by === -1 ? "up" : "down"}`}
        aria-disabled={isAtEnd}
        className="aria-disabled:opacity-40"
        onClick={(event) => {
          if (isAtEnd) return;
          pressed.current = event.currentTarget;
          onMove(by);
        }}
      >
        <Icon aria-hidden />
      </IconButton>
    );
  };
  return (
    <span className="flex shrink-0">
      {arrow(-1, isFirst)}
      {arrow(1, isLast)}
    </span>
  );
}
