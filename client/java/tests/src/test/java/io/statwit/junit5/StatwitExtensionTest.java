package io.statwit.junit5;

import static io.statwit.junit5.Sending.send;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** The extension, in JUnit runs of its own. */
class StatwitExtensionTest {
    /** By the name of each test its failure, or "passed". */
    static Map<String, String> run(Class<?> tests) {
        Map<String, String> results = new TreeMap<>();
        EngineTestKit.engine("junit-jupiter").selectors(selectClass(tests))
            .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
            .configurationParameter("junit.jupiter.conditions.deactivate", "*").execute().allEvents().finished().stream()
            .filter(event -> event.getTestDescriptor().isTest() || failure(event) != null)
            .forEach(event -> results.put(event.getTestDescriptor().getDisplayName().replace("(Metrics)", "").replace("()", ""),
                failure(event) == null ? "passed" : said(failure(event))));
        return results;
    }

    static Throwable failure(Event event) {
        return event.getPayload(org.junit.platform.engine.TestExecutionResult.class).flatMap(result -> result.getThrowable()).orElse(null);
    }

    static String said(Throwable failure) {
        StringBuilder said = new StringBuilder(failure.toString());
        for (Throwable suppressed : failure.getSuppressed())
            said.append('\n').append(suppressed);
        return said.toString();
    }

    @ExtendWith(StatwitExtension.class)
    static class Isolated {
        static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

        @BeforeEach
        void before(Metrics metrics) {
            send(metrics, "before:1|c");
        }

        @Execution(ExecutionMode.CONCURRENT)
        @RepeatedTest(20)
        void own(Metrics metrics) {
            NAMES.add(metrics.name());
            send(metrics, "a:1|c");
            metrics.expect("incr a sum == 1", "incr before sum == 1", "any * series == 2");
        }
    }

    @Test
    void eachTestHasASessionOfItsOwn() {
        Map<String, String> results = run(Isolated.class);
        assertEquals(20, results.size());
        assertEquals(Set.of("passed"), Set.copyOf(results.values()));
        assertEquals(20, Isolated.NAMES.size());
    }

    @ExtendWith(StatwitExtension.class)
    static class Failing {
        @Test
        void shown(Metrics metrics) {
            send(metrics, "login.attempts:1|c|#env:ci");
            metrics.expect("incr login.attempt");
        }

        @Test
        void other(Metrics metrics) {
            send(metrics, "a:1|c");
            throw new IllegalStateException("mine");
        }
    }

    @Test
    void aFailureShowsTheExplanationAndWhatWasRecorded() {
        Map<String, String> results = run(Failing.class);
        assertTrue(results.get("shown").matches("(?s).*statwit: fail.*closest +login.attempts.*metrics recorded:\ncount +login.attempts\\{env:ci}.*"),
            results.get("shown"));
        assertTrue(results.get("other").matches("(?s).*mine.*metrics recorded:\ncount +a\\{}.*"), results.get("other"));
    }

    @Expects("no any errors.*")
    static class Marked {
        @Test
        @Expects("incr a sum == 1")
        void good(Metrics metrics) {
            send(metrics, "a:1|c");
        }

        @Test
        @Expects("incr a sum == 1")
        void bad(Metrics metrics) {
            send(metrics, "a:2|c");
        }

        @Test
        void ofTheClass(Metrics metrics) {
            send(metrics, "errors.x:1|c");
        }

        @Test
        @Expects("incr never")
        void withoutParameter() {}

        @Test
        void quiet() {}

        @Nested
        class Inner {
            @Test
            void nested(Metrics metrics) {
                send(metrics, "errors.x:1|c");
            }
        }
    }

    @Test
    void anAnnotationJudgesBehindTheTest() {
        Map<String, String> results = run(Marked.class);
        assertEquals("passed", results.get("good"));
        assertEquals("passed", results.get("quiet"));
        for (String name : new String[] {"bad", "ofTheClass", "withoutParameter", "nested"})
            assertTrue(results.get(name).contains("statwit: fail"), name + ": " + results.get(name));
    }

    @ExtendWith(StatwitExtension.class)
    @TestMethodOrder(MethodOrderer.MethodName.class)
    static class Shared {
        static Metrics all;

        @BeforeAll
        static void make(Metrics metrics) {
            all = metrics;
        }

        @Test
        void first(Metrics metrics) {
            send(all, "a:1|c");
            metrics.expect("incr a samples == 1");
        }

        @Test
        void second(Metrics metrics) {
            metrics.expect("no any a");
            send(all, "a:1|c");
            metrics.expect("incr a samples == 1");
        }

        @Test
        @Expects("no any a")
        void third() {}
    }

    @Test
    void aClassMayShareASession() {
        Map<String, String> results = run(Shared.class);
        assertEquals(3, results.size());
        assertEquals(Set.of("passed"), Set.copyOf(results.values()));
    }

    @ExtendWith(StatwitExtension.class)
    static class Constructed {
        Constructed(Metrics metrics) {}

        @Test
        void test() {}
    }

    @Test
    void aConstructorGetsNone() {
        Map<String, String> results = run(Constructed.class);
        assertTrue(results.toString().contains("not of a constructor"), results.toString());
    }

    static String ended;

    @ExtendWith(StatwitExtension.class)
    static class Ended {
        @Test
        void emitsLater(Metrics metrics) {
            ended = metrics.name();
        }
    }

    @ExtendWith(StatwitExtension.class)
    @Test
    void whatComesAfterTheEndReachesNoOtherTest(Metrics metrics) {
        run(Ended.class);
        Metrics closed = metrics.recorder().session();
        closed.close();
        closed.close();
        send(closed, "late:1|c");
        metrics.expect("no any *");
        assertNotEquals(ended, metrics.name());
    }
}
