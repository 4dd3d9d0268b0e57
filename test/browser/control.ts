/**
 * The console's page in Chromium: sign in with an access key, look at accelerators and edges, turn a dial and a weight where they stand, sign out.
 *
 *   node test/browser/control.ts [--screenshot PREFIX]          npm run test:console
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Credentials } from "../../src/control/credentials.ts";
import { EdgeRegistry } from "../../src/control/edges/registry.ts";
import { masterKey, Seal } from "../../src/control/seal.ts";
import { openDatabase } from "../../src/control/store/database.ts";
import { ControlProcess } from "../interop/accelerator/control-process.ts";
import { Tally } from "../interop/checks.ts";
import { Children, sleep } from "../interop/children.ts";
import { parseArgs } from "../script-args.ts";
import { chromiumMissing, launch } from "./watch.ts";

const { values } = parseArgs({ options: { screenshot: { type: "string", default: "" } } });
if (chromiumMissing !== false) {
  console.log(`skipped: ${chromiumMissing}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "longhaul-console-"));
const children = new Children();
const tally = new Tally();
const { check } = tally;

async function until(done: () => Promise<boolean>, patience = 10_000): Promise<boolean> {
  for (const end = Date.now() + patience; !(await done()); await sleep(50)) if (Date.now() > end) return false;
  return true;
}

/** Two accelerators with groups, and two edges of which one is behind; the ARN of the first group. */
async function furnish(control: ControlProcess, data: string): Promise<string> {
  const client = control.client();
  const token = (): string => crypto.randomUUID();
  let group = "";
  for (const [Name, Protocol, ports] of [["voice", "UDP", [5060, 10_000]] as const, ["web", "TCP", [80, 443]] as const]) {
    const { Accelerator } = await client.createAccelerator({ Name, IdempotencyToken: token() });
    const AcceleratorArn = Accelerator!.AcceleratorArn!;
    const PortRanges = ports.map((port) => ({ FromPort: port, ToPort: port === 10_000 ? 20_000 : port }));
    const { Listener } = await client.createListener({
      AcceleratorArn,
      Protocol,
      PortRanges,
      ClientAffinity: "SOURCE_IP",
      IdempotencyToken: token(),
    });
    for (const [EndpointGroupRegion, n] of [["frankfurt", 1] as const, ["dublin", 2] as const]) {
      const { EndpointGroup } = await client.createEndpointGroup({
        ListenerArn: Listener!.ListenerArn!,
        EndpointGroupRegion,
        EndpointConfigurations: [
          { EndpointId: `10.${n}.0.1` },
          { EndpointId: `10.${n}.0.2` },
          { EndpointId: `a-host-with-a-long-name.${EndpointGroupRegion}.example.org:8080` },
        ],
        IdempotencyToken: token(),
      });
      if (group === "") group = EndpointGroup!.EndpointGroupArn!;
    }
  }
  const database = await openDatabase(join(data, "longhaul.db"));
  const registry = new EdgeRegistry(database);
  const health = new Map([
    [`${group.slice(-12)} 10.1.0.1`, "HEALTHY" as const],
    [`${group.slice(-12)} 10.1.0.2`, "UNHEALTHY" as const],
  ]);
  const flow = {
    protocol: "UDP",
    way: "kernel",
    source: "203.0.113.77:50124",
    at: "127.0.0.1:5060",
    endpoint: "10.1.0.1:5060",
    region: "frankfurt",
  } as const;
  const sample = [
    { ...flow, why: "dial" as const, bytesIn: 48_000, bytesOut: 51_000, idleSeconds: 0 },
    {
      ...flow,
      protocol: "TCP" as const,
      way: "tunnel" as const,
      region: "dublin",
      why: "failover" as const,
      bytesIn: 700,
      bytesOut: 9e6,
      idleSeconds: 12,
    },
  ];
  const counts = { flows: 1234, newFlows: 17, bytesIn: 5e6, bytesOut: 7e7, serving: true };
  for (const [id, revision, near, far] of [["fra1", 10, 4.2, 27] as const, ["dub1", 3, 26.4, 1.3] as const]) {
    const regions = [{ region: "frankfurt", milliseconds: near }, { region: "dublin", milliseconds: far }, { region: "singapore" }];
    const report = { health: [], whole: true, regions, ...counts, sample };
    await registry.add({ id, name: `${id}.edge.example.org`, label: id }, Date.now());
    await registry.greeted(id, "0.1.0", "", Date.now());
    await registry.applied(id, revision, 0, Date.now());
    await registry.reported(id, report, health, Date.now());
  }
  await database.destroy();
  return group;
}

async function signIn(page: Page, id: string, secret: string): Promise<void> {
  await page.fill('input[name="id"]', id);
  await page.fill('input[name="secret"]', secret);
  await page.click("#sign-in button");
}

/** Makes an accelerator with all that can be in one, as a person does, and deletes it again from the inside out. */
async function made(page: Page, control: ControlProcess): Promise<void> {
  const client = control.client();
  const create = async (scope: ReturnType<Page["locator"]>, title: string, values: Record<string, string>): Promise<void> => {
    const form = scope.locator(".make", { hasText: title }).first();
    await form.locator("summary").first().click();
    for (const [name, value] of Object.entries(values)) {
      const field = form.locator(`[name="${name}"]`);
      if ((await field.evaluate((element) => (element as { tagName?: string }).tagName)) === "SELECT") await field.selectOption(value);
      else await field.fill(value);
    }
    await form.locator('button[type="submit"]').click();
  };
  const remove = async (scope: ReturnType<Page["locator"]>, what: string): Promise<void> => {
    const button = scope.getByLabel(`delete ${what}`).first();
    await button.click();
    await button.click();
  };
  const found = async () => (await client.listAccelerators({})).Accelerators!.find(({ Name }) => Name === "games");
  await create(page.locator("#accelerators .new"), "New accelerator", { name: "games" });
  check("an accelerator is made", await until(async () => (await found()) !== undefined), "");
  const card = page.locator(".accelerator", { hasText: "games" });
  await card.locator("summary").first().click();
  await create(card, "New listener", { protocol: "UDP", ports: "7000-7010, 8000", affinity: "SOURCE_IP" });
  const { AcceleratorArn } = (await found())!;
  const listeners = async () => (await client.listListeners({ AcceleratorArn: AcceleratorArn! })).Listeners!;
  check("a listener", await until(async () => (await listeners())[0]?.PortRanges?.length === 2), (await listeners())[0]?.PortRanges);
  await until(async () => (await card.locator(".listener").count()) === 1);
  await create(card.locator(".listener"), "New endpoint group", { region: "tokyo", protocol: "TCP", port: "7000" });
  await until(async () => (await card.locator(".group").count()) === 1);
  await create(card.locator(".group"), "New endpoint", { id: "10.3.0.1", weight: "9" });
  check("an endpoint group with an endpoint", await until(async () => (await card.locator(".group .dot").count()) === 1), "");
  await remove(card.locator(".foot").last(), "the accelerator");
  const problem = await until(async () => /listener/.test((await page.textContent("#summary"))!));
  check("an accelerator with listeners is not deleted, and it is said why", problem, await page.textContent("#summary"));
  check("and stays enabled", (await found())!.Enabled === true, (await found())!.Enabled);
  await card.locator(".make", { hasText: "New listener" }).last().locator("summary").first().click();
  await shot(page, "forms");
  await remove(card, "endpoint 10.3.0.1");
  check("the endpoint is removed", await until(async () => (await card.locator(".group .dot").count()) === 0), "");
  await remove(card.locator(".group"), "the endpoint group");
  check("the group is deleted", await until(async () => (await card.locator(".group").count()) === 0), "");
  await remove(card, "the listener");
  check("the listener is deleted", await until(async () => (await listeners()).length === 0), "");
  await remove(card, "the accelerator");
  check("and the accelerator", await until(async () => (await found()) === undefined), "");
  await until(async () => (await card.count()) === 0);
}

try {
  const data = join(folder, "data");
  const control = new ControlProcess(children, { data, port: 30_000 + (process.pid % 2000) });
  await control.start();
  const EndpointGroupArn = await furnish(control, data);
  const context = await launch(join(folder, "profile"), {});
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[01]/.test(message.text())) problems.push(message.text());
  });
  const { accessKeyId, secretAccessKey } = control.credentials;
  await page.goto(`${control.endpoint}/`);
  await page.waitForSelector("#sign-in:not([hidden])");
  await shot(page, "sign-in");
  await signIn(page, accessKeyId, `${secretAccessKey}x`);
  check("a wrong secret is refused", await until(async () => (await page.textContent(".problem"))!.includes("no such access key")), "");
  await signIn(page, accessKeyId, secretAccessKey);
  check("signed in", await until(async () => (await page.locator(".accelerator").count()) === 2), await page.textContent("#summary"));
  const group = page.locator(".group", { hasText: "frankfurt" }).first();
  check(
    "the first accelerator is open, its groups and endpoints are shown",
    await until(async () => (await group.locator("li").count()) === 3),
    "",
  );
  const kinds = await group
    .locator(".dot")
    .evaluateAll((dots) => dots.map((dot) => (dot as { dataset?: { kind?: string } }).dataset?.kind));
  check("with their health", kinds.join() === "good,bad,off", kinds);
  // Nothing was changed yet: the first edge has all.
  check(
    "edges: one serves, one is behind",
    /serving/.test((await page.textContent("#edges"))!) && /behind/.test((await page.textContent("#edges"))!),
    "",
  );
  const ways = (await page.textContent("#ways .sr")) ?? "";
  check("the map says how far regions are from edges", /fra1\S*: frankfurt 4 ms, dublin 27 ms, singapore unknown/.test(ways), ways);
  check(
    "with a line for each",
    (await page.locator("#ways path").count()) === 6 && (await page.locator("#ways path.near").count()) === 2,
    "",
  );
  const flows = (await page.textContent("#flows")) ?? "";
  check(
    "flows say why they went where they went",
    /by the kernel.*through the tunnel.*nobody answers where its dial/s.test(flows),
    flows.length,
  );
  const dial = group.getByLabel("traffic dial");
  await dial.fill("35.5");
  await dial.press("Enter");
  const weight = group.getByLabel("weight of 10.1.0.1");
  await weight.fill("7");
  await weight.press("Enter");
  const client = control.client();
  const told = async () => (await client.describeEndpointGroup({ EndpointGroupArn })).EndpointGroup!;
  check(
    "a dial and a weight are turned where they stand",
    await until(async () => (await told()).TrafficDialPercentage === 35.5 && (await told()).EndpointDescriptions![0]!.Weight === 7),
    "",
  );
  await weight.fill("256");
  await weight.press("Enter");
  check(
    "what is refused is said, and put back",
    await until(async () => (await weight.inputValue()) === "7"),
    await page.textContent("#summary"),
  );
  await sleep(2500);
  await shot(page, "light");
  await made(page, control);
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "dark");
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  check("390 px are wide enough", overflow <= 0, overflow);
  await shot(page, "narrow");
  const cookies = await context.cookies();
  check(
    "the session is a cookie that no script reads",
    cookies.length === 1 && cookies[0]!.httpOnly && cookies[0]!.sameSite === "Strict",
    cookies.length,
  );
  const source = await page.content();
  check("no secret is in the page", !source.includes(secretAccessKey), source.length);
  await page.click("#who button");
  check("signed out", await until(async () => page.locator("#sign-in").isVisible()), "");
  const database = await openDatabase(join(data, "longhaul.db"));
  const reader = await new Credentials(database, new Seal(masterKey(join(data, "master.key")))).create("read-only", "looks", Date.now());
  await database.destroy();
  await signIn(page, reader.id, reader.secret);
  await until(async () => (await page.locator(".group").count()) > 0);
  check("who only looks turns nothing", await group.getByLabel("traffic dial").isDisabled(), "");
  check(
    "and makes and deletes nothing",
    (await page.locator(".make, .remove").count()) === 0,
    await page.locator(".make, .remove").count(),
  );
  check("the page had no error, and broke no rule of its policy", problems.length === 0, problems);
  await context.close();
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
tally.end();

async function shot(page: Page, name: string): Promise<void> {
  if (values.screenshot !== "") await page.screenshot({ path: `${values.screenshot}-${name}.png`, fullPage: true });
}
