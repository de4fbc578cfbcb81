package io.statwit.junit5;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A running statwit: one that somebody else runs ({@link #at}), or a private one ({@link #start}). It may be used from several
 * threads.
 */
public final class Recorder implements AutoCloseable {
    static final String VERSION = "0.1.0";
    static final double API = 1; // the number in the ready line and in the status that this package was written for
    private static final int LABEL_MAX = 1024; // bytes
    private static final String NO_LABELS = "unknown field 'label'"; // says an older server
    private static final Duration ANSWER = Duration.ofSeconds(60); // beyond the time that the question itself may wait

    private final String url;
    private final String token;
    private final Program program;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).proxy(HttpClient.Builder.NO_PROXY).build();

    private Recorder(String url, String token, Program program) {
        URI at = null;
        try {
            at = URI.create(url);
        } catch (IllegalArgumentException e) {
            // said below
        }
        if (at == null || at.getHost() == null || !("http".equals(at.getScheme()) || "https".equals(at.getScheme())))
            throw new Unavailable("'" + url + "' is no URL of a statwit server, such as http://127.0.0.1:8125");
        this.url = url.replaceAll("/+$", "");
        this.token = token;
        this.program = program;
    }

    /** The recorder of STATWIT_URL where that is set, else a private one. */
    public static Recorder find() {
        return find(System.getenv());
    }

    static Recorder find(Map<String, String> env) {
        String url = env.getOrDefault("STATWIT_URL", "");
        if (url.isEmpty())
            return start(env);
        Recorder recorder = new Recorder(url, env.get("STATWIT_TOKEN"), null);
        recorder.check();
        return recorder;
    }

    /** The recorder that somebody else runs at this URL. */
    public static Recorder at(String url) {
        return new Recorder(url, System.getenv("STATWIT_TOKEN"), null);
    }

    /**
     * A private recorder on free ports. It ends with this process, however that ends. The arguments are more options of
     * {@code statwit serve}.
     */
    public static Recorder start(String... args) {
        return start(System.getenv(), args);
    }

    static Recorder start(Map<String, String> env, String... args) {
        Program program = Program.start(env, List.of(args));
        try {
            checkApi(program.ready.get("api"), program.path);
            return new Recorder(String.valueOf(program.ready.get("http")), null, program);
        } catch (RuntimeException e) {
            program.close();
            throw e;
        }
    }

    public String url() {
        return url;
    }

    /** Throws {@link Unavailable} unless a statwit of the right kind answers. */
    public void check() {
        checkApi(call("GET", "status", null, Duration.ZERO).get("api"), url);
    }

    /** A new session, empty and apart from all others. */
    public Metrics session() {
        return new Metrics(this, call("POST", "sessions", Map.of(), Duration.ZERO));
    }

    /** The same; the label says whose it is: the name of a test. */
    public Metrics session(String label) {
        try {
            return new Metrics(this, call("POST", "sessions", Map.of("label", beginning(label)), Duration.ZERO));
        } catch (Malformed why) {
            if (!why.getMessage().startsWith(NO_LABELS))
                throw why;
            return session(); // an older server knows no labels, and is as good without one
        }
    }

    private static String beginning(String text) {
        String label = text.replace("\0", "");
        int n = Math.min(label.length(), LABEL_MAX);
        while (n > 0 && (Character.isHighSurrogate(label.charAt(n - 1)) || label.substring(0, n).getBytes(StandardCharsets.UTF_8).length > LABEL_MAX))
            n--;
        return label.substring(0, n);
    }

    /** Ends a private recorder. */
    @Override
    public void close() {
        if (program != null)
            program.close();
    }

    private static void checkApi(Object found, String who) {
        if (!Double.valueOf(API).equals(found))
            throw new Unavailable(who + " speaks api " + (found instanceof Double ? String.valueOf(((Double) found).intValue()) : "of no number")
                + ", and this package (" + VERSION + ") speaks api " + (int) API + ": install the two of one version");
    }

    /** One request of the control API. */
    Map<String, Object> call(String method, String path, Object body, Duration wait) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/recorder/v1/" + path)).timeout(wait.plus(ANSWER))
                .header("Content-Type", "application/json")
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(Json.write(body)));
            if (token != null)
                request.header("Authorization", "Bearer " + token);
            return answer(method + " " + path, client.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new Unavailable(url + " does not answer: " + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unavailable("interrupted while waiting for " + url);
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> answer(String what, HttpResponse<String> response) {
        int status = response.statusCode();
        if (status == 401)
            throw new Unavailable(url + " asks for a token: set STATWIT_TOKEN");
        Object value = null;
        try {
            value = response.body().isEmpty() ? Map.of() : Json.read(response.body());
        } catch (IllegalArgumentException e) {
            // said below
        }
        if (!(value instanceof Map))
            throw new Unavailable(url + " did not answer with JSON: is it a statwit server?");
        Map<String, Object> map = (Map<String, Object>) value;
        Object why = map.getOrDefault("text", map.getOrDefault("error", what + ": " + status));
        if (status >= 500)
            throw new Unavailable(url + ": " + why);
        if (status >= 400)
            throw new Malformed(status, String.valueOf(why).stripTrailing());
        return map;
    }
}
