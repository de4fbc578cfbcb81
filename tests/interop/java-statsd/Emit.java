import com.timgroup.statsd.Event;
import com.timgroup.statsd.NonBlockingStatsDClientBuilder;
import com.timgroup.statsd.ServiceCheck;
import com.timgroup.statsd.StatsDClient;

class Emit {
    public static void main(String[] args) {
        try (StatsDClient client = new NonBlockingStatsDClientBuilder().prefix("java").hostname(System.getenv("DD_AGENT_HOST"))
                .port(Integer.parseInt(System.getenv("DD_DOGSTATSD_PORT"))).constantTags("lang:java").enableTelemetry(false)
                .originDetectionEnabled(false).blocking(true).build()) {
            client.count("count", 2, "a:1");
            client.gauge("gauge", 1.5);
            client.recordExecutionTime("timing", 12);
            client.recordHistogramValue("histogram", 7);
            client.recordDistributionValue("distribution", 3);
            client.recordSetValue("set", "member");
            client.recordEvent(Event.builder().withTitle("java title").withText("java text").build(), "e");
            client.recordServiceCheckRun(ServiceCheck.builder().withName("java.check").withStatus(ServiceCheck.Status.OK).build());
        }
    }
}
