/** A form behind its own title, for what is made now and then. What went wrong is said in it; it closes when it went well. */
import { build } from "./text.ts";

export interface FieldPlan {
  readonly name: string;
  readonly label: string;
  /** By default a text. */
  readonly type?: "number" | readonly string[];
  readonly value?: string;
  readonly placeholder?: string;
  readonly optional?: boolean;
}

export type Values = Readonly<Record<string, string>>;

export function makeForm(title: string, plans: readonly FieldPlan[], send: (values: Values) => Promise<void>): HTMLElement {
  const root = build("details", "make", "");
  const form = document.createElement("form");
  const problem = build("p", "problem", "");
  problem.setAttribute("role", "alert");
  const fields = plans.map(fieldOf);
  fields.forEach((field, i) => {
    const label = build("label", "", "");
    label.append(build("span", "", plans[i]!.label), field);
    form.append(label);
  });
  const button = build("button", "", "Create");
  button.type = "submit";
  form.append(button, problem);
  root.append(build("summary", "", title), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    send(Object.fromEntries(fields.map(({ name, value }) => [name, value.trim()])))
      .then(() => {
        form.reset();
        root.open = false;
      })
      .catch((error: Error) => {
        problem.textContent = error.message;
      })
      .finally(() => {
        button.disabled = false;
      });
  });
  return root;
}

function fieldOf({ name, type, value = "", placeholder = "", optional = false }: FieldPlan): HTMLInputElement | HTMLSelectElement {
  if (Array.isArray(type)) {
    const select = document.createElement("select");
    select.name = name;
    select.append(...(type as readonly string[]).map((each) => build("option", "", each)));
    return select;
  }
  const input = document.createElement("input");
  Object.assign(input, { name, placeholder, required: !optional, type: type === "number" ? "number" : "text", autocomplete: "off" });
  input.defaultValue = value;
  return input;
}
