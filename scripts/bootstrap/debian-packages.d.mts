/** @param needs `others`: more programs, and their packages */
export function installDebianPackages(needs: {
  readonly withBrowser: boolean;
  readonly others?: Readonly<Record<string, string>>;
}): Promise<void>;
