import { Search } from "lucide-react";
import { TextInput } from "./field.tsx";

interface SearchBoxProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export const SearchBox = ({ label, value, onChange }: SearchBoxProps) => (
  <div className="relative w-full sm:w-72">
    <Search aria-hidden className="pointer-events-none absolute top-2.5 left-3 size-4 text-faint" />
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      className="pl-9"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  </div>
);
