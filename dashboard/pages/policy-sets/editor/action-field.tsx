import type { PolicyAction } from "#schema/policy";
import { SelectField } from "../../../components/field.tsx";

interface ActionFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: PolicyAction;
  readonly onChange: (action: PolicyAction) => void;
}

export const ActionField = ({ onChange, ...rest }: ActionFieldProps) => (
  <SelectField {...rest} onChange={(action) => onChange(action === "reject" ? "reject" : "accept")}>
    <option value="accept">Accept</option>
    <option value="reject">Reject</option>
  </SelectField>
);
