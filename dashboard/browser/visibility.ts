/** Whether somebody can see the tab. */
export const isTabHidden = (): boolean => document.hidden;

export const onVisibilityChange = (listener: () => void): void =>
  document.addEventListener("visibilitychange", listener);
