import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, EMFILE, ENOSYS, errnoName } from "./errno.ts";
import { IP_TOS, IPPROTO_IP, IPPROTO_IPV6, IPV6_TCLASS, SO_RCVBUF, SOL_SOCKET } from "./linux-abi.ts";
import { EpollLoop } from "./loop-epoll.ts";
import { getOption } from "./socket-option.ts";
import { loadSys } from "./sys.ts";
import { onEpoll, portOf, tcpHandler, udpHandler, until } from "./testing/each-loop.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

/** A loop without descriptors for the first `times` accepted connections. */
function outOfDescriptors(times: number): () => EpollLoop {
  return () => {
    const sys = loadSys();
    let left = times;
    let errno = 0;
    return new EpollLoop({
      sys: {
        ...sys,
        accept4: (fd, name, length, flags) => {
          errno = left > 0 ? EMFILE : 0;
          return left-- > 0 ? -1 : sys.accept4(fd, name, length, flags);
        },
        errno: () => (errno === 0 ? sys.errno() : errno),
      },
    });
  };
}

onEpoll(
  "a listener out of descriptors rests, does not spin, and takes the connection later",
  async (loop) => {
    let accepted = 0;
    const listener = loop.listen(LOCAL, () => {
      accepted++;
      return tcpHandler();
    });
    loop.connect({ host: "127.0.0.1", port: portOf(listener) }, tcpHandler());
    await until(() => loop.counters.acceptPaused === 1);
    const { rounds } = loop.counters;
    await until(() => accepted === 1);
    assert.equal(loop.counters.acceptPaused, 2);
    assert.ok(loop.counters.rounds - rounds < 12, `${loop.counters.rounds - rounds} rounds while resting`);
  },
  outOfDescriptors(2),
);

onEpoll(
  "without epoll_pwait2 the loop keeps its deadlines by whole milliseconds",
  async (loop) => {
    const due = loop.now() + 7.5;
    let called = 0;
    loop.drive({
      advance: (now) => {
        if (now >= due && called === 0) called = now;
        return called === 0 ? due : Number.POSITIVE_INFINITY;
      },
    });
    await until(() => called > 0);
    assert.ok(called >= due);
  },
  () => {
    const sys = loadSys();
    let refused = false;
    return new EpollLoop({
      sys: {
        ...sys,
        epoll_pwait2: () => {
          refused = true;
          return -1;
        },
        errno: () => {
          if (!refused) return sys.errno();
          refused = false;
          return ENOSYS;
        },
      },
    });
  },
);

onEpoll("DSCP marks both families, buffers are as large as the system allows", async (loop) => {
  const { sys } = loop;
  const options = { dscp: 46, socketBufferBytes: 100_000 };
  const four = loop.udp({ ...LOCAL, ...options }, udpHandler()) as unknown as { fd: number };
  const both = loop.udp({ host: "::", port: 0, ...options }, udpHandler()) as unknown as { fd: number };
  assert.equal(getOption(sys, four.fd, IPPROTO_IP, IP_TOS), 46 << 2);
  assert.equal(getOption(sys, both.fd, IPPROTO_IP, IP_TOS), 46 << 2);
  assert.equal(getOption(sys, both.fd, IPPROTO_IPV6, IPV6_TCLASS), 46 << 2);
  // The kernel keeps as much again for its own accounting.
  assert.equal(getOption(sys, four.fd, SOL_SOCKET, SO_RCVBUF), 200_000);
});

test("errno has its name", () => {
  assert.equal(errnoName(EAGAIN), "EAGAIN");
  assert.equal(errnoName(111), "ECONNREFUSED");
  assert.equal(errnoName(4000), "E4000");
});
