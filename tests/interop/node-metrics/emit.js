// It knows only https://api.SITE, so the address of its server is put in the place of that.
const path = require("path");
const dist = path.dirname(require.resolve("@datadog/datadog-api-client/package.json"));
require(dist + "/dist/packages/datadog-api-client-common/servers.js").server1.url = process.env.STATWIT_URL;
const metrics = require("datadog-metrics");
const logger = new metrics.BufferedMetricsLogger({ apiKey: process.env.DD_API_KEY, host: "h1", prefix: "dm.", flushIntervalSeconds: 0, defaultTags: ["lang:js"] });
logger.gauge("gauge", 1.5, ["a:1"]);
logger.increment("count", 2);
logger.increment("count");
logger.distribution("distribution", 3);
logger.histogram("histogram", 7);
logger.flush().catch((e) => { console.error(e); process.exit(1); });
