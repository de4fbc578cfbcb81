package io.statwit.junit5;

import static io.statwit.junit5.Sending.env;
import static io.statwit.junit5.Sending.program;
import static io.statwit.junit5.Sending.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;

@ExtendWith(StatwitExtension.class)
class RecorderTest {
    static void unavailable(String says, Executable does) {
        String message = assertThrows(Unavailable.class, does).getMessage();
        assertTrue(message.contains(says), message);
    }

    @Test
    void noProgramNamesWhatToSet() {
        unavailable("STATWIT_URL", () -> Recorder.start(env("STATWIT_BIN", null, "PATH", "/nowhere")));
        unavailable("STATWIT_BIN", () -> Recorder.start(env("STATWIT_BIN", null, "PATH", "")));
        for (String path : List.of("/nowhere/statwit", "/etc/passwd", "/tmp"))
            unavailable("'" + path + "'", () -> Recorder.start(env("STATWIT_BIN", path)));
    }

    @Test
    void theProgramOfThePath(@TempDir Path bin) throws Exception {
        Files.createSymbolicLink(bin.resolve("statwit"), Path.of(System.getenv("STATWIT_BIN")));
        try (Recorder recorder = Recorder.start(env("STATWIT_BIN", null, "PATH", bin.toString()))) {
            recorder.check();
        }
    }

    /** As in a class path with a jar that carries the program: a second copy of the classes, beside such a folder. */
    @Test
    void theProgramOfTheClassPath(@TempDir Path jar) throws Exception {
        Path inside = jar.resolve("io/statwit/" + System.getProperty("os.name").toLowerCase() + "-" + System.getProperty("os.arch") + "/statwit");
        Files.createDirectories(inside.getParent());
        Files.copy(Path.of(System.getenv("STATWIT_BIN")), inside);
        URL[] path = {place(Recorder.class), place(AssertionFailedError.class), jar.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(path, ClassLoader.getPlatformClassLoader())) {
            Method start = loader.loadClass(Recorder.class.getName()).getDeclaredMethod("start", Map.class, String[].class);
            start.setAccessible(true);
            try (AutoCloseable recorder = (AutoCloseable) start.invoke(null, env("STATWIT_BIN", null, "PATH", "/nowhere", "HOME", "/nowhere"), new String[0])) {
                assertTrue(recorder.getClass().getMethod("url").invoke(recorder).toString().startsWith("http://127.0.0.1:"));
            }
        }
    }

    static URL place(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "exit 3 ~ status 3",
        "echo no json; cat ~ does not answer as statwit does",
        "echo 5; cat ~ does not answer as statwit does",
        "echo; cat ~ does not answer as statwit does",
        "head -c 100000 /dev/zero; cat ~ does not answer as statwit does",
        "yes [ | tr -d '\\n'; cat ~ does not answer as statwit does",
        "echo '{\"api\":99,\"http\":\"http://127.0.0.1:1\"}'; cat ~ api 99, and this package (0.1.0) speaks api 1",
        "echo '{\"http\":\"http://127.0.0.1:1\"}'; cat ~ of no number",
    })
    void aProgramThatIsNoStatwitOfOurs(String text, String says, @TempDir Path folder) throws Exception {
        String path = program(folder, text);
        unavailable(says, () -> Recorder.start(env("STATWIT_BIN", path)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:8125", "udp://127.0.0.1", "http://", "a b", "http://127.0.0.1:1"})
    void aUrlThatLeadsNowhere(String url) {
        unavailable(url, () -> Recorder.find(env("STATWIT_URL", url)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "200 ~ <html> ~ is it a statwit server", "200 ~ [] ~ is it a statwit server", "200 ~ {} ~ of no number", "200 ~ {\"api\":2} ~ api 2",
        "401 ~ {} ~ STATWIT_TOKEN", "404 ~ not found ~ is it a statwit server", "503 ~ {\"error\":\"busy\"} ~ busy"
    })
    void anotherServer(int status, String body, String says) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status, body.length());
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body.getBytes());
            }
        });
        server.start();
        try {
            unavailable(says, () -> Recorder.find(env("STATWIT_URL", "http://127.0.0.1:" + server.getAddress().getPort())));
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {"unknown field 'label'; did you mean 'table'? ~ true", "no label today ~ false"})
    void anOlderServerKnowsNoLabel(String says, boolean again) throws Exception {
        List<String> asked = new ArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(body);
            boolean label = body.contains("label");
            byte[] text = (label ? Json.write(Map.of("error", says))
                : "{\"name\":\"a\",\"env\":{},\"api_key\":\"\",\"dogstatsd\":{\"udp\":\"127.0.0.1:1\"}}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(label ? 400 : 201, text.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(text);
            }
        });
        server.start();
        try {
            Recorder recorder = Recorder.at("http://127.0.0.1:" + server.getAddress().getPort());
            if (again)
                assertEquals("a", recorder.session("b").name());
            else
                assertEquals(says, assertThrows(Malformed.class, () -> recorder.session("b")).getMessage());
            assertEquals(again ? List.of("{\"label\":\"b\"}", "{}") : List.of("{\"label\":\"b\"}"), asked);
        } finally {
            server.stop(0);
        }
    }

    private static Object label(Metrics of) {
        List<?> sessions = (List<?>) of.recorder().call("GET", "sessions", null, Duration.ZERO).get("sessions");
        return sessions.stream().map(s -> (Map<?, ?>) s).filter(s -> of.name().equals(s.get("name"))).findFirst().orElseThrow().get("label");
    }

    @Test
    void aSessionSaysWhichTestItIsOf(Metrics metrics) {
        assertEquals(RecorderTest.class.getName() + "#aSessionSaysWhichTestItIsOf(Metrics)", label(metrics));
        try (Metrics other = metrics.recorder().session("é".repeat(600))) {
            assertEquals("é".repeat(512), label(other));
        }
    }

    @Test
    void theServerOfTheUrlIsNotStarted(Metrics metrics) {
        try (Recorder found = Recorder.find(env("STATWIT_URL", metrics.recorder().url() + "/", "STATWIT_BIN", "/nowhere/statwit"))) {
            found.session().close();
        }
        metrics.recorder().check();
    }

    @Test
    void theSettingsOfTheMachineDoNotMatter(@TempDir Path folder) {
        String db = folder.resolve("kept.db").toString();
        Recorder recorder = Recorder.start(env("STATWIT_TOKEN", "not\none"), "--db", db);
        Metrics metrics = recorder.session();
        send(metrics, "a:1|c");
        metrics.expect("incr a[] sum == 1");
        recorder.close();
        recorder.close();
        assertTrue(Files.exists(Path.of(db)));
        unavailable("does not answer", () -> metrics.expect("incr a"));
    }

    /** The carried program goes through java.io.tmpdir; without a place to write to, the error says what to set. */
    @Test
    void aHomeThatCannotBeWrittenTo(@TempDir Path jar) throws Exception {
        try (Recorder recorder = Recorder.start(env("HOME", "/proc", "TMPDIR", "/proc", "XDG_CACHE_HOME", "/proc"))) {
            recorder.check();
        }
        Path inside = jar.resolve("io/statwit/" + System.getProperty("os.name").toLowerCase() + "-" + System.getProperty("os.arch") + "/statwit");
        Files.createDirectories(inside.getParent());
        Files.copy(Path.of(System.getenv("STATWIT_BIN")), inside);
        ProcessBuilder elsewhere = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=/proc", "-cp", System.getProperty("java.class.path") + ":" + jar, Started.class.getName()).redirectErrorStream(true);
        elsewhere.environment().keySet().removeIf(name -> name.startsWith("STATWIT_"));
        Process child = elsewhere.start();
        String said = new String(child.getInputStream().readAllBytes());
        assertEquals(1, child.waitFor());
        assertTrue(said.contains("cannot unpack the program that the class path carries into java.io.tmpdir") && said.contains("set STATWIT_BIN"), said);
    }

    static final class Started {
        public static void main(String[] args) {
            Recorder.start().close();
        }
    }

    /** A test that is killed, while a child of it lives on. */
    static final class Killed {
        public static void main(String[] args) throws Exception {
            Recorder recorder = Recorder.start();
            new ProcessBuilder("cat").redirectInput(ProcessBuilder.Redirect.INHERIT).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            Object pid = recorder.call("GET", "status", null, Duration.ZERO).get("pid");
            System.out.println(((Double) pid).longValue());
            System.out.flush();
            new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start().waitFor();
        }
    }

    @Test
    void noServerOutlivesAKilledTest() throws Exception {
        Process killed = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
            System.getProperty("java.class.path"), Killed.class.getName()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String server = new BufferedReader(new InputStreamReader(killed.getInputStream())).readLine();
        assertEquals(128 + 9, killed.waitFor());
        assertEquals(0, new ProcessBuilder("timeout", "60", "tail", "--pid=" + server, "-f", "/dev/null").start().waitFor());
        killed.getOutputStream().close(); // the child ends
    }

    @Test
    void listsMarksAndReset(Metrics metrics) {
        send(metrics, "a.b:1|c|#env:ci", "c:2|g", "s:x|s", "_e{1,1}:T|x", "_sc|up|0", "bad");
        assertEquals(List.of("env:ci"), metrics.series("a.*").get(0).get("tags"));
        assertEquals(2.0, metrics.samples("c").get(0).get("value"));
        assertEquals("T", metrics.events().get(0).get("title"));
        assertEquals("ok", metrics.checks().get(0).get("status"));
        assertEquals("bad", metrics.rejects().get(0).get("text"));
        String table = metrics.table();
        assertTrue(table.matches("(?s).*a\\.b\\{env:ci} samples=1 sum=1 last=1.*sum=- last=-.*event.*refused.*"), table);
        metrics.fromNow().expect("no any *");
        assertEquals("nothing", metrics.fromNow().table());
        metrics.reset();
        metrics.lint();
        assertEquals(metrics.env().get("DD_DOGSTATSD_PORT"), String.valueOf(metrics.port()));
        assertEquals(metrics.env().get("DD_API_KEY"), metrics.apiKey());
    }

    @Test
    void aListIsWhole(Metrics metrics) {
        for (int i = 0; i < 60; i++)
            send(metrics, "n:1|c\n".repeat(200));
        metrics.expect("incr n samples == 12000");
        assertEquals(12000, metrics.samples("n").size());
    }

    @Test
    void aCatalog(Metrics metrics, @TempDir Path folder) throws Exception {
        Path catalog = folder.resolve("catalog.json");
        Files.writeString(catalog, "{\"metrics\": {\"a\": {\"type\": \"count\"}}}");
        send(metrics, "a:1|c");
        metrics.verify(catalog);
        send(metrics, "b:1|c");
        assertThrows(AssertionFailedError.class, () -> metrics.verify(catalog));
    }

    @Test
    void json() {
        Object value = Json.read(" {\"a\\u00e9\\n\":[1,-2.5e3,true,false,null,\"\\\"\\\\\"],\"b\":{}, \"c\":[]} ");
        assertEquals("{\"aé\\u000a\":[1.0,-2500.0,true,false,null,\"\\\"\\\\\"],\"b\":{},\"c\":[]}", Json.write(value));
        assertEquals(Map.of("é\uD83D\uDE00", ""), Json.read("{\"é\uD83D\uDE00\":\"\"}"));
        for (String bad : List.of("", "{", "[1", "\"a", "{1:2}", "{\"a\"}", "[1 2]", "nul", "1 2", "\"\\x\"", "\"\\u00g0\"", "[".repeat(100)))
            assertThrows(IllegalArgumentException.class, () -> Json.read(bad), bad);
    }
}
