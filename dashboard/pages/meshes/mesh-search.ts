export interface MeshSearch {
  readonly q?: string;
  readonly sort?: string;
  /** `mesh`: the create dialog is open. */
  readonly create?: "mesh";
}

export const parseMeshSearch = ({ q, sort, create }: Record<string, unknown>): MeshSearch => ({
  ...(typeof q === "string" && q !== "" ? { q } : {}),
  ...(typeof sort === "string" ? { sort } : {}),
  ...(create === "mesh" ? { create } : {}),
});
