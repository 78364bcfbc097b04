import { type FormEvent, useState } from "react";
import { getMesh, listMeshes, updateMesh } from "#schema/api/meshes";
import type { Fallback, Mesh } from "#schema/mesh";
import { useList } from "../../../api/use-api.ts";
import { Button } from "../../../components/button.tsx";
import { Choice, SwitchField, TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/layout.tsx";
import { useForm } from "../../form/use-form.ts";
import { FormError } from "../../query-view.tsx";
import { judgeName } from "../create/mesh-draft-model.ts";
import { FALLBACK_LABELS } from "./fallback-labels.ts";
import { parseKeyDays, renderKeyDays } from "./key-days.ts";

const OPTIONS = Object.entries(FALLBACK_LABELS).map(([value, words]) => ({ value: value as Fallback, ...words }));

interface MeshSettingsFormProps {
  readonly mesh: Mesh;
  readonly canChange: boolean;
}

export function MeshSettingsForm({ mesh, canChange }: MeshSettingsFormProps) {
  const form = useForm(updateMesh, [getMesh.id, listMeshes.id], { toWords: () => "Settings saved" });
  const meshes = useList(listMeshes, {});
  const [name, setName] = useState<string>(mesh.name);
  const [isDefault, setDefault] = useState(mesh.isDefault);
  const [routeReflectorMode, setReflecting] = useState(mesh.routeReflectorMode);
  const [fallback, setFallback] = useState(mesh.fallback);
  const [keyDaysText, setKeyDays] = useState(renderKeyDays(mesh.keyRotationDays));
  const keyRotationDays = parseKeyDays(keyDaysText);
  const others = (meshes.data ?? []).filter(({ id }) => id !== mesh.id);
  const taken = others.map((other) => other.name);
  const nameError = name === "" ? "must have a name" : judgeName(name, taken);
  const changes = {
    ...(name === mesh.name ? {} : { name }),
    ...(isDefault === mesh.isDefault ? {} : { isDefault }),
    ...(routeReflectorMode === mesh.routeReflectorMode ? {} : { routeReflectorMode }),
    ...(fallback === mesh.fallback ? {} : { fallback }),
    ...(keyRotationDays === undefined || keyRotationDays === mesh.keyRotationDays ? {} : { keyRotationDays }),
  };
  const isChanged = Object.keys(changes).length > 0;
  const isReady = isChanged && nameError === null && keyRotationDays !== undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    form.send({ params: { meshId: mesh.id }, body: changes });
  };
  const previous = others.find((other) => other.isDefault);
  return (
    <form onSubmit={submit} noValidate>
      <Card title="Settings">
        <div className="flex flex-col gap-5">
          <TextField
            label="Name"
            error={nameError ?? form.refused.name}
            hint="Machines keep their addresses when it changes."
            className="sm:max-w-sm"
            value={name}
            onChange={setName}
            disabled={!canChange}
          />
          <SwitchField
            label="Default mesh"
            hint={
              isDefault && previous
                ? `In place of ${previous.name}.`
                : "Machines join it whose join token names no mesh."
            }
            isOn={isDefault}
            onChange={setDefault}
            disabled={!canChange}
          />
          <Choice
            legend="Pairs without a direct path talk by"
            value={fallback}
            onChange={setFallback}
            options={OPTIONS}
            disabled={!canChange}
          />
          <SwitchField
            label="Route reflector mode"
            hint="Machines speak BGP with the mesh's gateways only, which pass on all routes; packets still go straight. Needs a gateway; advised from 250 machines on, with two."
            isOn={routeReflectorMode}
            onChange={setReflecting}
            disabled={!canChange}
          />
          <TextField
            label="Replace WireGuard keys every … days"
            error={keyRotationDays === undefined ? "must be 1 to 365, or empty" : form.refused.keyRotationDays}
            hint={
              keyRotationDays === null
                ? "Empty: only when somebody asks a machine for a new one."
                : "Each machine replaces its key when it is this old, or up to a tenth sooner. No packet is lost."
            }
            className="sm:max-w-72"
            inputMode="numeric"
            value={keyDaysText}
            onChange={setKeyDays}
            disabled={!canChange}
          />
          <FormError error={form.error} fields={["name", "keyRotationDays"]} />
          {canChange && (
            <div>
              <Button type="submit" look="primary" disabled={!isReady} isBusy={form.isBusy}>
                Save changes
              </Button>
            </div>
          )}
        </div>
      </Card>
    </form>
  );
}
