import { type FormEvent, useState } from "react";
import { createRoute, listRoutes, updateRoute } from "#schema/api/routes";
import type { Member } from "#schema/machine";
import { Prefixes, type Route } from "#schema/route";
import { toFieldErrors } from "../../../api/api-error.ts";
import { useChange } from "../../../api/use-api.ts";
import { useIdempotencyKey } from "../../../browser/use-idempotency-key.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog, DialogBody, DialogFooter } from "../../../components/dialog.tsx";
import { Field, SwitchField, TextArea, TextInput } from "../../../components/field.tsx";
import { useToast } from "../../../components/toast.tsx";
import { FormError } from "../../query-view.tsx";
import { judgeName } from "../create/mesh-draft-model.ts";
import { parseCheckDraft, splitPrefixes, toCheckDraft } from "./announcement-model.ts";
import { CheckFields } from "./check-fields.tsx";
import { MachineChecklist } from "./machine-checklist.tsx";

interface RouteFormProps {
  readonly meshId: string;
  /** The route to change; undefined: a new one. */
  readonly route: Route | undefined;
  readonly routes: readonly Route[];
  readonly members: readonly Member[];
  readonly onClose: () => void;
}

export const RouteDialog = ({ isOpen, ...rest }: RouteFormProps & { readonly isOpen: boolean }) => (
  <Dialog
    title={rest.route ? `Change ${rest.route.name}` : "Create a route"}
    description="A network behind machines, which they announce to the mesh."
    isOpen={isOpen}
    onClose={rest.onClose}
  >
    <RouteForm {...rest} />
  </Dialog>
);

function RouteForm({ meshId, route, routes, members, onClose }: RouteFormProps) {
  const toast = useToast();
  const idempotencyKey = useIdempotencyKey();
  const create = useChange(createRoute, [listRoutes.id]);
  const update = useChange(updateRoute, [listRoutes.id]);
  const [name, setName] = useState<string>(route?.name ?? "");
  const [prefixText, setPrefixText] = useState(route?.prefixes.join("\n") ?? "");
  const [machineIds, setMachineIds] = useState<readonly string[]>(route?.machineIds ?? []);
  const [flags, setFlags] = useState({
    enabled: route?.enabled ?? true,
    isMasquerading: route?.isMasquerading ?? false,
    allowsDefaultRoute: route?.allowsDefaultRoute ?? false,
  });
  const [draft, setDraft] = useState(() => toCheckDraft(route?.healthCheck ?? null));

  const taken = routes.filter(({ id }) => id !== route?.id).map((other) => other.name);
  const nameError = judgeName(name, taken);
  const prefixes = Prefixes.safeParse(splitPrefixes(prefixText));
  const prefixError =
    prefixText.trim() === "" || prefixes.success ? null : toPrefixError(prefixes.error.issues, prefixText);
  const check = parseCheckDraft(draft);
  const error = create.error ?? update.error;
  const refused = toFieldErrors(error);
  const isReady = name !== "" && nameError === null && prefixes.success && check.ok;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const body = {
      name,
      prefixes: [...prefixes.data],
      machineIds: [...machineIds],
      ...flags,
      healthCheck: check.check,
    };
    const onSuccess = () => {
      toast(`${name} is saved`);
      onClose();
    };
    if (route) update.mutate({ params: { meshId, routeId: route.id }, body }, { onSuccess });
    else create.mutate({ params: { meshId }, body, idempotencyKey }, { onSuccess });
  };
  return (
    <form onSubmit={submit} className="contents" noValidate>
      <DialogBody>
        <Field label="Name" error={nameError ?? refused.name}>
          {(ids) => (
            <TextInput
              {...ids}
              value={name}
              onChange={(event) => setName(event.target.value)}
              placeholder="warehouse-lan"
              autoCapitalize="none"
              spellCheck={false}
            />
          )}
        </Field>
        <Field label="Prefixes" error={prefixError ?? refused.prefixes} hint="One a line: IPv4 or IPv6 networks.">
          {(ids) => (
            <TextArea
              {...ids}
              className="font-mono"
              value={prefixText}
              onChange={(event) => setPrefixText(event.target.value)}
              placeholder="192.168.7.0/24"
              spellCheck={false}
            />
          )}
        </Field>
        <MachineChecklist
          legend="Announced by"
          hint="Several for availability: when one is gone, another carries on."
          members={members}
          chosen={machineIds}
          onChange={setMachineIds}
        />
        <CheckFields draft={draft} errors={check.ok ? {} : check.errors} onChange={setDraft} />
        <SwitchField
          label="Enabled"
          hint="Off: nobody announces it."
          isOn={flags.enabled}
          onChange={(enabled) => setFlags({ ...flags, enabled })}
        />
        <SwitchField
          label="Masquerade"
          hint="Its machines forward from their own address, for networks that have no way back to the mesh."
          isOn={flags.isMasquerading}
          onChange={(isMasquerading) => setFlags({ ...flags, isMasquerading })}
        />
        <SwitchField
          label="Allow a default route"
          hint="Prefixes shorter than /8 draw away the traffic of every machine; refused without this."
          isOn={flags.allowsDefaultRoute}
          onChange={(allowsDefaultRoute) => setFlags({ ...flags, allowsDefaultRoute })}
        />
        <FormError error={refused.name || refused.prefixes ? null : error} />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={!isReady} isBusy={create.isPending || update.isPending}>
          {route ? "Save route" : "Create route"}
        </Button>
      </DialogFooter>
    </form>
  );
}

/** Names the prefix: "192.168.7.1/24 must be a network without host bits, …". */
function toPrefixError(
  issues: readonly { readonly path: PropertyKey[]; readonly message: string }[],
  text: string,
): string {
  const [issue] = issues;
  const prefix = typeof issue?.path[0] === "number" ? splitPrefixes(text)[issue.path[0]] : undefined;
  return [prefix, issue?.message ?? "is not valid"].filter(Boolean).join(" ");
}
