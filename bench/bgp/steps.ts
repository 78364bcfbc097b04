/** Sizes of full meshes to try, the asked one last: where a machine can't carry that, the one before says what it carries. Pure. */
export const toSteps = (members: number): number[] => [
  ...[100, 150, 200, 250].filter((step) => step < members),
  members,
];
