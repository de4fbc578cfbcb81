// PROTOCOL=uds: over the Unix socket, which needs a native module; UDP needs nothing.
const StatsD = require("hot-shots");
const place = process.env.PROTOCOL === "uds"
  ? { protocol: "uds", path: process.env.UNIXGRAM }
  : { host: process.env.DD_AGENT_HOST, port: Number(process.env.DD_DOGSTATSD_PORT) };
const client = new StatsD({ ...place, globalTags: ["lang:js"], errorHandler: (e) => { throw e; } });
client.increment("js.count", 2, { a: "1" });
client.decrement("js.count");
client.gauge("js.gauge", 1.5, ["b"]);
client.timing("js.timing", 12);
client.histogram("js.histogram", 7);
client.distribution("js.distribution", 3);
client.set("js.set", "member");
client.event("js title", "js text", { alert_type: "warning" });
client.check("js.check", client.CHECKS.CRITICAL, { message: "hm" });
client.close((e) => { if (e) throw e; });
