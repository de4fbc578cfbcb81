package io.statwit.junit5;

import com.timgroup.statsd.NonBlockingStatsDClientBuilder;
import com.timgroup.statsd.StatsDClient;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.statsd.StatsdConfig;
import io.micrometer.statsd.StatsdFlavor;
import io.micrometer.statsd.StatsdMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The recipes of the README, with the real clients. */
@ExtendWith(StatwitExtension.class)
class ClientsTest {
    static StatsDClient client(Metrics metrics, boolean blocking) {
        return new NonBlockingStatsDClientBuilder().hostname(metrics.host()).port(metrics.port()).enableTelemetry(false)
            .originDetectionEnabled(false).blocking(blocking).build();
    }

    /** blocking(true): close() sends what is queued. Without it close() drops that. */
    @Test
    void dogstatsdThatIsClosed(Metrics metrics) {
        try (StatsDClient client = client(metrics, true)) {
            client.incrementCounter("login.attempt", "instance:failure");
            client.gauge("queue.depth", 3);
            client.recordExecutionTime("events.latency", 480);
        }
        metrics.expect("incr login.attempt[instance:failure] sum == 1", "gauge queue.depth last == 3", "timing events.latency last == 480",
            "no any errors.*");
    }

    @Test
    void dogstatsdThatGoesOn(Metrics metrics) {
        try (StatsDClient client = client(metrics, false)) {
            client.incrementCounter("login.attempt");
            metrics.eventually(Duration.ofMinutes(1), "incr login.attempt sum == 1");
        }
    }

    /** What a registry sends goes straight to the session. */
    @Test
    void micrometerWithALineSink(Metrics metrics) {
        StatsdConfig config = key -> key.equals("statsd.flavor") ? "datadog" : null;
        MeterRegistry registry = StatsdMeterRegistry.builder(config).clock(Clock.SYSTEM).lineSink(metrics.sink()).build();
        registry.counter("login.attempt", "instance", "failure").increment();
        registry.timer("events.latency").record(Duration.ofMillis(480));
        registry.summary("payload.size").record(7);
        metrics.expect("incr login.attempt{instance:failure} sum == 1", "timing events.latency last == 480", "no any errors.*");
        registry.close();
    }

    /** Its own transport holds lines back, and drops those from before its socket is open: so wait, and increment again. */
    @Test
    void micrometerWithItsOwnTransport(Metrics metrics) {
        StatsdConfig config = new StatsdConfig() {
            @Override
            public String get(String key) {
                return null;
            }

            @Override
            public StatsdFlavor flavor() {
                return StatsdFlavor.DATADOG;
            }

            @Override
            public String host() {
                return metrics.host();
            }

            @Override
            public int port() {
                return metrics.port();
            }

            @Override
            public boolean buffered() {
                return false;
            }
        };
        StatsdMeterRegistry registry = new StatsdMeterRegistry(config, Clock.SYSTEM);
        try {
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            do
                registry.counter("started").increment();
            while (!metrics.ask(Duration.ofMillis(20), "incr started").passed() && System.nanoTime() < end);
            registry.counter("login.attempt").increment();
            metrics.eventually(Duration.ofMinutes(1), "incr login.attempt sum == 1");
        } finally {
            registry.close();
        }
    }
}
