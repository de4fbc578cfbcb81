package io.statwit.junit5;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What one test emits, apart from all others: a session of the recorder. */
public final class Metrics implements AutoCloseable {
    private final Recorder recorder;
    private final Map<String, Object> made;
    private final Object since; // the mark behind which this looks, or null

    Metrics(Recorder recorder, Map<String, Object> made) {
        this(recorder, made, null);
    }

    private Metrics(Recorder recorder, Map<String, Object> made, Object since) {
        this.recorder = recorder;
        this.made = made;
        this.since = since;
    }

    public Recorder recorder() {
        return recorder;
    }

    public String name() {
        return String.valueOf(made.get("name"));
    }

    /** The host that a DogStatsD client sends to. */
    public String host() {
        return udp().substring(0, udp().lastIndexOf(':')).replaceAll("[\\[\\]]", "");
    }

    /** The UDP port that a DogStatsD client sends to. */
    public int port() {
        return Integer.parseInt(udp().substring(udp().lastIndexOf(':') + 1));
    }

    private String udp() {
        return String.valueOf(((Map<?, ?>) made.get("dogstatsd")).get("udp"));
    }

    /** Stands for Datadog's API; its clients use {@link #apiKey}. */
    public String url() {
        return env().get("DD_URL");
    }

    public String apiKey() {
        return String.valueOf(made.get("api_key"));
    }

    /** The variables that lead clients here, for a program that the test starts. */
    public Map<String, String> env() {
        Map<String, String> env = new LinkedHashMap<>();
        ((Map<?, ?>) made.get("env")).forEach((key, value) -> env.put(String.valueOf(key), String.valueOf(value)));
        return Collections.unmodifiableMap(env);
    }

    /** Sends each line as a datagram, at once: for micrometer's {@code lineSink}. */
    public Consumer<String> sink() {
        InetSocketAddress to = new InetSocketAddress(host(), port());
        return line -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
                socket.send(new DatagramPacket(bytes, bytes.length, to));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    /** The report on these expectations. It waits at most {@code within} until they hold. */
    public Report ask(Duration within, String... expectations) {
        return judge("expect", Map.of("expect", List.of(expectations), "within_ms", within.toMillis()), within);
    }

    /** Fails the test unless the verdict on these expectations is pass. */
    public void expect(String... expectations) {
        eventually(Duration.ZERO, expectations);
    }

    /** The same, and waits at most {@code within}, for what a client still buffers. */
    public void eventually(Duration within, String... expectations) {
        ask(within, expectations).check();
    }

    /** Fails the test unless the names and tags keep to these catalog files. */
    public void verify(Path... catalogs) {
        List<Object> files = new ArrayList<>();
        for (Path path : catalogs) {
            try {
                files.add(Map.of("file", path.toString(), "text", Files.readString(path)));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the catalog " + path, e);
            }
        }
        judge("verify", Map.of("catalog", files), Duration.ZERO).check();
    }

    /** Fails the test when Datadog would rewrite, drop or charge for something. */
    public void lint() {
        judge("lint", Map.of(), Duration.ZERO).check();
    }

    private Report judge(String what, Map<String, Object> about, Duration wait) {
        Map<String, Object> question = new LinkedHashMap<>(about);
        question.put("session", name());
        if (since != null)
            question.put("since", since);
        return new Report(recorder.call("POST", what, question, wait));
    }

    /** This session as it looks from now on: for one client that several tests share. */
    public Metrics fromNow() {
        Object mark = recorder.call("POST", "marks", null, Duration.ZERO).get("mark");
        return new Metrics(recorder, made, mark instanceof Double ? (Object) ((Double) mark).longValue() : mark);
    }

    /** The series whose name matches the glob: name, type, tags, samples, sum, last … */
    public List<Map<String, Object>> series(String glob) {
        return list("series", glob);
    }

    /** The samples whose name matches the glob: name, type, tags, value, text, sample_rate … */
    public List<Map<String, Object>> samples(String glob) {
        return list("samples", glob);
    }

    /** title, text, tags … */
    public List<Map<String, Object>> events() {
        return list("events", null);
    }

    /** name, status, tags … */
    public List<Map<String, Object>> checks() {
        return list("service_checks", null);
    }

    /** text, reason, detail … */
    public List<Map<String, Object>> rejects() {
        return list("rejects", null);
    }

    @SuppressWarnings("unchecked")
    private List<Map<String, Object>> list(String what, String glob) {
        String path = what + "?limit=100000000&session=" + escape(name());
        if (glob != null)
            path += "&name=" + escape(glob);
        if (since != null)
            path += "&since=" + since;
        return (List<Map<String, Object>>) recorder.call("GET", path, null, Duration.ZERO).get(what);
    }

    /** What was recorded, for a person. */
    public String table() {
        StringBuilder out = new StringBuilder();
        for (Map<String, Object> s : series("*")) {
            List<?> tags = (List<?>) s.get("tags");
            out.append(String.format("%-12s %s{%s} samples=%s sum=%s last=%s%n", s.get("type"), s.get("name"),
                String.join(",", tags.toArray(new String[0])), number(s.get("samples")), number(s.get("sum")), number(s.get("last"))));
        }
        events().forEach(e -> out.append(String.format("event        %s: %s%n", e.get("title"), e.get("text"))));
        checks().forEach(c -> out.append(String.format("check        %s %s%n", c.get("name"), c.get("status"))));
        rejects().forEach(r -> out.append(String.format("refused      %s: %s%n", r.get("detail"), r.get("text"))));
        return out.length() == 0 ? "nothing" : out.toString().stripTrailing();
    }

    private static String number(Object value) {
        return value == null ? "-" : String.valueOf(value).replaceFirst("\\.0$", "");
    }

    /** Forgets what was recorded. */
    public void reset() {
        recorder.call("POST", "reset?session=" + escape(name()), null, Duration.ZERO);
    }

    /** Ends the session. What is sent to it from now on reaches no other test. */
    @Override
    public void close() {
        try {
            recorder.call("DELETE", "sessions/" + escape(name()), null, Duration.ZERO);
        } catch (Malformed e) {
            if (e.status != 404) // else it was closed before
                throw e;
        }
    }

    private static String escape(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
