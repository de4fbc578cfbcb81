package io.statwit.junit5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Inconclusive is never a pass: what a test writes in each way of client/contract/ways.json. Each must fail the test. */
class WaysTest {
    /** Gets the session, the claims and the catalog file. */
    interface Way {
        void write(Metrics metrics, String[] expect, Path catalog) throws Exception;
    }

    static final Map<String, Way> WAYS = new HashMap<>(Map.of(
        "claim", (metrics, expect, catalog) -> metrics.expect(expect),
        "wait", (metrics, expect, catalog) -> metrics.eventually(Duration.ofMillis(1), expect),
        "report", (metrics, expect, catalog) -> assertTrue(metrics.ask(Duration.ZERO, expect).passed()),
        "negated report", (metrics, expect, catalog) -> assertFalse(metrics.ask(Duration.ZERO, expect).passed()),
        "alternative", (metrics, expect, catalog) -> assertTrue(metrics.ask(Duration.ZERO, expect).passed() || true),
        "caught failure", (metrics, expect, catalog) -> assertThrows(AssertionError.class, () -> metrics.expect(expect)),
        "catalog", (metrics, expect, catalog) -> metrics.verify(catalog),
        "lint", (metrics, expect, catalog) -> metrics.lint(),
        "behind the test", (metrics, expect, catalog) -> {
            Map<String, String> results = StatwitExtensionTest.run(Behind.class);
            assertEquals(Set.of("annotated", "waits"), results.keySet());
            for (String said : results.values())
                assertTrue(said.contains("statwit: inconclusive"), said);
            throw new AssertionError(results.get("annotated"));
        }));

    static class Behind {
        @Test
        @Expects("no any x")
        void annotated(Metrics metrics) {
            lose(metrics, "x:1|c");
        }

        @Test
        @Expects(value = "incr x", withinMs = 1)
        void waits(Metrics metrics) {
            lose(metrics, "x:1|c");
        }
    }

    static void lose(Metrics metrics, String... lines) {
        Sending.drop(metrics);
        Sending.send(metrics, lines);
    }

    @Test
    @SuppressWarnings("unchecked")
    void everyWayOfTheTableIsTried() throws Exception {
        String text = Files.readString(Path.of(System.getenv("STATWIT_CONTRACT"), "ways.json"));
        Set<String> listed = ((Map<String, Map<String, String>>) Json.read(text)).entrySet().stream()
            .filter(row -> !row.getValue().get("junit").startsWith("none: ")).map(Map.Entry::getKey).collect(Collectors.toSet());
        assertEquals(new TreeMap<>(WAYS).keySet(), listed);
        Set<Object> cases = ContractTest.listed().stream().map(one -> one.get("way")).collect(Collectors.toSet());
        assertTrue(cases.containsAll(listed), cases.toString());
    }

    @TestFactory
    Stream<DynamicTest> cases(@TempDir Path folder) throws Exception {
        return ContractTest.listed().stream().filter(one -> WAYS.containsKey(one.get("way")))
            .map(one -> DynamicTest.dynamicTest(String.valueOf(one.get("name")), () -> fails(one, folder)));
    }

    static void fails(Map<String, Object> one, Path folder) throws Exception {
        Path catalog = Files.writeString(folder.resolve("catalog.json"), Json.write(one.get("catalog")));
        try (Recorder recorder = Recorder.find(); Metrics metrics = recorder.session()) {
            lose(metrics, ContractTest.texts(one.get("send")));
            Throwable failure = assertThrows(Throwable.class,
                () -> WAYS.get(one.get("way")).write(metrics, ContractTest.texts(one.get("expect")), catalog));
            for (Object part : (List<?>) one.get("says"))
                assertTrue(String.valueOf(failure.getMessage()).contains(String.valueOf(part)), failure.toString());
        }
    }
}
