const { client, v1, v2 } = require("@datadog/datadog-api-client");
const configuration = client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(process.env.STATWIT_URL, {}),
    authMethods: { apiKeyAuth: process.env.DD_API_KEY, appKeyAuth: "app" },
});
const now = Math.floor(Date.now() / 1000);
(async () => {
    await new v1.AuthenticationApi(configuration).validate();
    await new v1.MetricsApi(configuration).submitMetrics({ body: { series: [{ metric: "v1.gauge", type: "gauge", points: [[now, 1.5]], tags: ["a:1"] }] } });
    const metrics = new v2.MetricsApi(configuration);
    for (const contentEncoding of ["gzip", "deflate", "zstd1"]) {
        try {
            await metrics.submitMetrics({ contentEncoding, body: { series: [{ metric: "v2.count", type: 1, points: [{ timestamp: now, value: 3 }], tags: [contentEncoding] }] } });
        } catch (e) {
            if (contentEncoding !== "zstd1") throw e; // needs a native module of the caller's choice
        }
    }
    const event = await new v1.EventsApi(configuration).createEvent({ body: { title: "js title", text: "js text", tags: ["e"] } });
    if (event.status !== "ok") throw new Error("event");
    const answer = await new v1.MetricsApi(configuration).queryMetrics({ from: now - 60, to: now + 1, query: "avg:v1.gauge{a:1}" });
    if (answer.series[0].pointlist[0][1] !== 1.5) throw new Error("query");
})().catch((e) => { console.error(e); process.exit(1); });
