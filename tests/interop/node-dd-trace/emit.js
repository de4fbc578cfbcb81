const tracer = require("dd-trace").init({ service: "interop", startupLogs: false, dogstatsd: { hostname: process.env.DD_AGENT_HOST, port: process.env.DD_DOGSTATSD_PORT }, tags: {} });
tracer.dogstatsd.increment("trace.count", 2, { a: "1" });
tracer.dogstatsd.gauge("trace.gauge", 1.5);
tracer.dogstatsd.distribution("trace.distribution", 3);
tracer.dogstatsd.flush();
setTimeout(() => process.exit(1), 250000); // its socket has no way to say that all was sent: `emit` looks, and ends this
