package io.statwit.junit5;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.AssertionFailedError;

/** client/contract/cases.json, through every way to ask. */
class ContractTest {
    static final Recorder RECORDER = Recorder.find();

    @AfterAll
    static void stop() {
        RECORDER.close();
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> listed() throws Exception {
        return (List<Map<String, Object>>) Json.read(Files.readString(Path.of(System.getenv("STATWIT_CONTRACT"), "cases.json")));
    }

    @TestFactory
    Stream<DynamicTest> cases() throws Exception {
        return listed().stream().filter(one -> !one.containsKey("way")).map(one -> DynamicTest.dynamicTest(String.valueOf(one.get("name")), () -> judge(one)));
    }

    static String[] texts(Object list) {
        return list == null ? new String[0] : ((List<?>) list).toArray(new String[0]);
    }

    static void judge(Map<String, Object> one) {
        try (Metrics metrics = RECORDER.session()) {
            if (Boolean.TRUE.equals(one.get("drop")))
                Sending.drop(metrics);
            Sending.send(metrics, texts(one.get("send")));
            String shown = shown(metrics, texts(one.get("expect")), String.valueOf(one.get("outcome")));
            for (String part : texts(one.get("says")))
                assertTrue(shown.contains(part), shown);
        }
    }

    static String shown(Metrics metrics, String[] expect, String outcome) {
        if (outcome.equals("error")) {
            assertThrows(Malformed.class, () -> metrics.ask(Duration.ZERO, expect));
            return assertThrows(Malformed.class, () -> metrics.expect(expect)).getMessage();
        }
        Report report = metrics.ask(Duration.ZERO, expect);
        assertEquals(outcome, report.verdict(), report.text());
        if (outcome.equals("pass")) {
            metrics.expect(expect);
            metrics.eventually(Duration.ofSeconds(1), expect);
            assertTrue(report.passed());
            return report.text();
        }
        Class<? extends Throwable> type = outcome.equals("fail") ? AssertionFailedError.class : Inconclusive.class;
        String message = assertThrows(type, () -> metrics.expect(expect)).getMessage();
        assertTrue(message.contains(report.text()), message);
        if (outcome.equals("fail"))
            assertFalse(report.passed());
        else
            assertThrows(Inconclusive.class, report::passed);
        return message;
    }
}
