/** The metric families of a server's users, each with label `user`. */
import type { UserReport } from "../tunnel/user.ts";
import type { Family, Sample } from "./exposition.ts";

export function userFamilies(users: readonly UserReport[]): Family[] {
  const each = (of: (user: UserReport) => number): Sample[] => users.map((user) => ({ labels: { user: user.name }, value: of(user) }));
  const by = (label: string, values: Readonly<Record<string, (user: UserReport) => number>>): Sample[] =>
    users.flatMap((user) =>
      Object.entries(values).map(([value, of]) => ({ labels: { user: user.name, [label]: value }, value: of(user) })),
    );
  return [
    { name: "longhaul_user_sessions", type: "gauge", help: "Sessions of the user.", samples: each(({ sessions }) => sessions) },
    { name: "longhaul_user_streams", type: "gauge", help: "Connections of the user.", samples: each(({ streams }) => streams) },
    {
      name: "longhaul_user_payload_bytes",
      type: "counter",
      unit: "bytes",
      help: "Bytes of the user's applications.",
      samples: by("direction", { sent: (user) => user.sentPayloadBytes, received: (user) => user.receivedPayloadBytes }),
    },
    {
      name: "longhaul_user_limit_hits",
      type: "counter",
      help: "Times a limit of the user was hit, by limit.",
      samples: by("limit", {
        sessions: (user) => user.sessionsRefused,
        streams: (user) => user.streamsRefused,
        quota: (user) => user.quotaExceeded,
        rate: (user) => user.rateWaits,
      }),
    },
    {
      name: "longhaul_user_used_bytes",
      type: "gauge",
      unit: "bytes",
      help: "What counts against the user's quota, from before the process began too (option state).",
      samples: each(({ usedBytes }) => usedBytes),
    },
    {
      name: "longhaul_user_quota_bytes",
      type: "gauge",
      unit: "bytes",
      help: "The user's quota, 0 without one.",
      samples: each(({ quotaBytes }) => quotaBytes),
    },
  ];
}
