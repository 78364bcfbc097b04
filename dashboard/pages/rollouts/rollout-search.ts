export interface RolloutSearch {
  /** The id of one of before. */
  readonly id?: string;
  /** `rollout`: the dialog is open. */
  readonly start?: "rollout";
}

export const parseRolloutSearch = ({ id, start }: Record<string, unknown>): RolloutSearch => ({
  ...(typeof id === "string" && id !== "" ? { id } : {}),
  ...(start === "rollout" ? { start } : {}),
});
