/**
 * `longhaul control` as users of AWS Global Accelerator meet it: its SDK and Debian's awscli, the published model as a judge of what is valid, 56 operations, bad
 * requests, kill -9 in mid-change, and two processes on one PostgreSQL database.
 *
 *   node test/interop/accelerator/main.ts [--kills 20]          npm run test:accelerator
 *   LONGHAUL_BOTOCORE=FOLDER npm run test:accelerator           with a newer model than Debian's (which has 49 of the 56)
 *
 * No root needed; what is not installed (awscli, postgresql) is said and left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GlobalAccelerator, paginateListAccelerators } from "@aws-sdk/client-global-accelerator";
import { globalAcceleratorOperations } from "../../../src/control/accelerator/operations.ts";
import { parseArgs } from "../../script-args.ts";
import { Tally } from "../checks.ts";
import { Children } from "../children.ts";
import { postgresMissing, startPostgres } from "../postgres-server.ts";
import { ControlProcess, copyOfKey } from "./control-process.ts";
import { servedByAnEdge } from "./edge.ts";
import { killedWhileChanging } from "./killed.ts";
import { Model } from "./model.ts";
import { caller, everyOperation, operationNames } from "./operations.ts";

const { values } = parseArgs({ options: { kills: { type: "string", default: "20" } } });
const folder = mkdtempSync(join(tmpdir(), "longhaul-accelerator-"));
const folders = [folder];
const base = 22_000 + (process.pid % 2000) * 4;
const children = new Children();
const token = (): string => crypto.randomUUID();
const tally = new Tally();
const { check, skip } = tally;

/** The model's constraints and ours say the same of every case. */
function constraints(model: Model): void {
  let cases = 0;
  const wrong: string[] = [];
  for (const name of model.operations) {
    const operation = globalAcceleratorOperations[name];
    if (operation === undefined) {
      wrong.push(`${name} is missing`);
      continue;
    }
    for (const { what, input, valid } of model.cases(name)) {
      cases++;
      const result = operation.input.safeParse(input);
      if (result.success !== valid)
        wrong.push(`${what}: the model says ${valid ? "valid" : "invalid"} ${JSON.stringify(input).slice(0, 100)}`);
    }
  }
  check(
    `inputs made from the model (${model.operations.length} operations) are judged as it judges them`,
    wrong.length === 0 && cases > 1000,
    {
      cases,
      wrong: wrong.slice(0, 10),
    },
  );
}

async function operations(control: ControlProcess, model: Model | undefined): Promise<void> {
  const client = control.client();
  const { answered } = await everyOperation(client);
  const unanswered = operationNames.filter((name) => !answered.has(name));
  const expected: Record<string, string> = {
    CreateCrossAccountAttachment: "AccessDeniedException",
    DescribeCrossAccountAttachment: "AttachmentNotFoundException",
    UpdateCrossAccountAttachment: "AttachmentNotFoundException",
    DeleteCrossAccountAttachment: "AttachmentNotFoundException",
  };
  const others = [...answered].filter(([name, outcome]) => outcome !== (expected[name] ?? "ok"));
  check(
    "every one of the SDK's 56 operations answers as it should",
    operationNames.length === 56 && unanswered.length + others.length === 0,
    {
      operations: operationNames.length,
      unanswered,
      others,
    },
  );
  if (model === undefined) return;
  const unknown: string[] = [];
  for (const name of model.operations) {
    // Of nothing that is there: the answer is one of the errors that the model has for this operation, or none.
    const error = await caller(
      client,
      name,
    )(model.minimal(name)).then(
      () => undefined,
      (failure: Error) => failure.name,
    );
    if (error !== undefined && !model.errorsOf(name).includes(error)) unknown.push(`${name}: ${error}`);
  }
  check("errors are those that the model has for the operation", unknown.length === 0, unknown);
}

async function paging(control: ControlProcess): Promise<void> {
  const client = control.client();
  const arns: string[] = [];
  for (let i = 0; i < 23; i++)
    arns.push((await client.createAccelerator({ Name: `page-${i}`, IdempotencyToken: token() })).Accelerator!.AcceleratorArn!);
  const listed: string[] = [];
  for await (const page of paginateListAccelerators({ client, pageSize: 5 }, {}))
    listed.push(...page.Accelerators!.map((one) => one.AcceleratorArn!));
  check("pages neither lose nor repeat", JSON.stringify(listed) === JSON.stringify(arns), listed.length);
  const first = await client.listAccelerators({});
  check("a page has ten, as AWS's", first.Accelerators!.length === 10 && first.NextToken !== undefined, first.Accelerators!.length);
  for (const AcceleratorArn of arns) {
    await client.updateAccelerator({ AcceleratorArn, Enabled: false });
    await client.deleteAccelerator({ AcceleratorArn });
  }
}

async function strangers(control: ControlProcess): Promise<void> {
  const name = (client: GlobalAccelerator): Promise<string> =>
    client.listAccelerators({}).then(
      () => "done",
      (error: Error) => error.name,
    );
  const { accessKeyId, secretAccessKey } = control.credentials;
  check(
    "a wrong secret is refused",
    (await name(control.client({ accessKeyId, secretAccessKey: `${secretAccessKey}x` }))) === "InvalidSignatureException",
    "",
  );
  check(
    "an unknown key is refused",
    (await name(control.client({ accessKeyId: "AKIAAAAAAAAAAAAAAAAA", secretAccessKey }))) === "UnrecognizedClientException",
    "",
  );
  const late = new GlobalAccelerator({
    region: "us-west-2",
    endpoint: control.endpoint,
    credentials: control.credentials,
    maxAttempts: 1,
    systemClockOffset: -600_000,
  });
  check("a request signed ten minutes ago is refused", (await name(late)) === "InvalidSignatureException", "");
  const bare = await fetch(control.endpoint, {
    method: "POST",
    headers: { "x-amz-target": "GlobalAccelerator_V20180706.ListAccelerators" },
    body: "{}",
  });
  const body = (await bare.json()) as { __type?: string };
  check("an unsigned one is refused", bare.status === 400 && body.__type === "MissingAuthenticationTokenException", body);
}

function awscli(control: ControlProcess): void {
  if (!existsSync("/usr/bin/aws")) {
    skip("awscli", "Debian's awscli is not installed");
    return;
  }
  const { accessKeyId, secretAccessKey } = control.credentials;
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_PAGER: "" };
  const aws = (...args: string[]) => {
    const command = ["--region", "us-west-2", "--endpoint-url", control.endpoint, "globalaccelerator", ...args];
    const { status, stdout, stderr } = spawnSync("/usr/bin/aws", command, { env, encoding: "utf8" });
    return { status, out: stdout === "" ? {} : JSON.parse(stdout), error: stderr.trim() };
  };
  const made = aws("create-accelerator", "--name", "by-cli", "--tags", "Key=made,Value=by cli");
  const arn: string = made.out.Accelerator?.AcceleratorArn ?? "";
  check("awscli creates an accelerator", made.status === 0 && arn !== "", made.error);
  const listener = aws("create-listener", "--accelerator-arn", arn, "--protocol", "TCP", "--port-ranges", "FromPort=443,ToPort=443");
  const listenerArn: string = listener.out.Listener?.ListenerArn ?? "";
  const group = aws(
    ...["create-endpoint-group", "--listener-arn", listenerArn, "--endpoint-group-region", "cellar", "--traffic-dial-percentage", "55.5"],
    ...["--endpoint-configurations", "EndpointId=10.0.0.1,Weight=10", "EndpointId=host.example:8443,ClientIPPreservationEnabled=true"],
  );
  const groupArn: string = group.out.EndpointGroup?.EndpointGroupArn ?? "";
  check("and a listener with a group", group.out.EndpointGroup?.EndpointDescriptions?.length === 2, group.error);
  const described = aws("describe-endpoint-group", "--endpoint-group-arn", groupArn);
  check("and reads it", described.out.EndpointGroup?.TrafficDialPercentage === 55.5, described.error);
  check("and its tags", aws("list-tags-for-resource", "--resource-arn", arn).out.Tags?.[0]?.Value === "by cli", "");
  const busy = aws("delete-listener", "--listener-arn", listenerArn);
  check("and is told why it cannot delete", busy.status !== 0 && busy.error.includes("AssociatedEndpointGroupFoundException"), busy.error);
  const steps = [
    aws("delete-endpoint-group", "--endpoint-group-arn", groupArn),
    aws("delete-listener", "--listener-arn", listenerArn),
    aws("update-accelerator", "--accelerator-arn", arn, "--no-enabled"),
    aws("delete-accelerator", "--accelerator-arn", arn),
  ];
  check(
    "and deletes it all",
    steps.every(({ status }) => status === 0),
    steps.map(({ error }) => error).join(""),
  );
}

async function survives(what: string, processes: readonly ControlProcess[], victim: ControlProcess, kills: number): Promise<void> {
  const { acknowledged, lost } = await killedWhileChanging(processes, victim, kills);
  check(`kill -9, ${kills} times, ${what}: nothing acknowledged is lost`, lost.length === 0 && acknowledged > 4 * kills, {
    acknowledged,
    lost: lost.slice(0, 5),
  });
}

/** Two processes on one database: limits, addresses and tokens hold across both. */
async function together(postgres: string): Promise<void> {
  const data = ["one", "two"].map((name) => join(folder, name));
  const options = { database: postgres, more: ["--quota", "accelerators=30"] };
  const one = new ControlProcess(children, { data: data[0]!, port: base + 1, ...options });
  await one.start();
  copyOfKey(data[0]!, data[1]!);
  const two = new ControlProcess(children, { data: data[1]!, port: base + 2, ...options });
  await two.start();
  const clients = [one.client(), two.client(one.credentials)];
  const made = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => clients[i % 2]!.createAccelerator({ Name: `both-${i}`, IdempotencyToken: token() })),
  );
  const done = made.flatMap((one) => (one.status === "fulfilled" ? [one.value.Accelerator!] : []));
  const refusals = made.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).name] : []));
  const addresses = done.flatMap(({ IpSets }) => IpSets![0]!.IpAddresses!);
  check(
    "two processes at once: as many as the quota, each with addresses of its own",
    done.length === 30 && new Set(addresses).size === 60 && refusals.every((name) => name === "LimitExceededException"),
    { made: done.length, addresses: new Set(addresses).size, refusals: new Set(refusals) },
  );
  const { AcceleratorArn } = done[0]!;
  const same = {
    AcceleratorArn: AcceleratorArn!,
    PortRanges: [{ FromPort: 1, ToPort: 1 }],
    Protocol: "TCP" as const,
    IdempotencyToken: "same",
  };
  const listeners = await Promise.all(Array.from({ length: 8 }, (_, i) => clients[i % 2]!.createListener(same)));
  check(
    "the same token at both makes one thing",
    new Set(listeners.map(({ Listener }) => Listener!.ListenerArn)).size === 1,
    listeners.length,
  );
  for (const { AcceleratorArn: arn } of done.slice(1)) {
    await clients[1]!.updateAccelerator({ AcceleratorArn: arn!, Enabled: false });
    await clients[0]!.deleteAccelerator({ AcceleratorArn: arn! });
  }
  await Promise.all([children.end(one.child), children.end(two.child)]);
  const more = ["--quota", "accelerators=100000", "--addresses", "10.0.0.0/9"];
  const three = new ControlProcess(children, { data: data[0]!, port: base + 1, database: postgres, more });
  await three.start();
  await survives("on PostgreSQL", [three], three, Math.ceil(Number(values.kills) / 4));
}

try {
  const model = Model.find();
  if (model === undefined) skip("the model's constraints", "no botocore is installed");
  else constraints(model);
  const more = ["--quota", "accelerators=100000,byoipCidrs=2", "--addresses", "10.0.0.0/9"];
  const control = new ControlProcess(children, { data: join(folder, "data"), port: base, more });
  await control.start();
  await paging(control);
  await operations(control, model);
  await strangers(control);
  awscli(control);
  const { statuses, health, answers } = await servedByAnEdge(children, folder, base + 1);
  check(
    "an edge that joined serves it: in progress, then deployed, healthy, dials obeyed",
    `${statuses} ${health} ${answers}` === "IN_PROGRESS,DEPLOYED HEALTHY one,two",
    {
      statuses,
      health,
      answers,
    },
  );
  await survives("on SQLite", [control], control, Number(values.kills));
  if (postgresMissing !== false) skip("PostgreSQL", postgresMissing);
  else {
    // Of its own: the other one is closed to the user that PostgreSQL runs as.
    const cluster = mkdtempSync(join(tmpdir(), "longhaul-postgres-"));
    folders.push(cluster);
    await together((await startPostgres(children, cluster)).url);
  }
} finally {
  await children.endAll();
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
tally.end();
