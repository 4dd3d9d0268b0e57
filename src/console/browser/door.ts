/** Who is signed in at a page of the console: the form, the line that says who it is, and what went wrong. */
import { SignedOut, session, signIn, signOut } from "./control-calls.ts";

export interface DoorEvents {
  /** Somebody is in. `changeable`: the access key may do more than look; `admin`: everything. */
  entered(changeable: boolean, admin: boolean): Promise<void>;
  left(): void;
}

export class Door {
  readonly #form = element("sign-in") as HTMLFormElement;
  readonly #sections: readonly string[];
  readonly #events: DoorEvents;

  /** `sections`: ids of what only those who are signed in see. */
  constructor(sections: readonly string[], events: DoorEvents) {
    this.#sections = sections;
    this.#events = events;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    element("who")
      .querySelector("button")!
      .addEventListener("click", () => {
        signOut().then(
          () => this.#leave(),
          (problem) => this.failed(problem),
        );
      });
  }

  async begin(): Promise<void> {
    try {
      const { accessKey, role } = await session();
      this.#form.hidden = true;
      for (const id of ["who", ...this.#sections]) element(id).hidden = false;
      element("who").querySelector("span")!.textContent = `${accessKey} · ${role}`;
      await this.#events.entered(role !== "read-only", role === "admin");
    } catch (error) {
      this.failed(error);
    }
  }

  /** All is well, and this is how it is. */
  say(text: string): void {
    element("summary").textContent = text;
    delete element("summary").dataset.bad;
  }

  /** Whatever went wrong is said at the top of the page until something goes well. */
  failed(problem: unknown): void {
    if (problem instanceof SignedOut) {
      this.#leave();
      return;
    }
    element("summary").textContent =
      problem instanceof TypeError ? "the server does not answer; trying again…" : (problem as Error).message;
    element("summary").dataset.bad = "";
  }

  #submit(): void {
    const [id, secret] = ["id", "secret"].map((name) => this.#form.elements.namedItem(name) as HTMLInputElement);
    const problem = this.#form.querySelector(".problem")!;
    problem.textContent = "";
    signIn(id!.value.trim(), secret!.value.trim())
      .then(() => {
        this.#form.reset();
        return this.begin();
      })
      .catch((error: Error) => {
        problem.textContent = error instanceof SignedOut ? "There is no such access key, or its secret is another one." : error.message;
      });
  }

  #leave(): void {
    this.#events.left();
    for (const id of ["who", ...this.#sections]) element(id).hidden = true;
    this.#form.hidden = false;
    element("summary").textContent = "";
  }
}

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
