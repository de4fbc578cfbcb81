package io.statwit.junit5;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the tests share. */
final class Sending {
    private Sending() {}

    static void send(Metrics metrics, String... lines) {
        for (String line : lines)
            metrics.sink().accept(line);
    }

    /** The session's datagrams are lost from now on. */
    static void drop(Metrics metrics) {
        metrics.recorder().call("PUT", "faults", Map.of("dogstatsd", List.of(Map.of("drop", 1, "session", metrics.name()))), Duration.ZERO);
    }

    /** This process's environment with other values; null takes one away. */
    static Map<String, String> env(String... pairs) {
        Map<String, String> env = new HashMap<>(System.getenv());
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i + 1] == null)
                env.remove(pairs[i]);
            else
                env.put(pairs[i], pairs[i + 1]);
        }
        return env;
    }

    /** A shell script that stands for statwit. */
    static String program(Path folder, String text) throws Exception {
        Path path = folder.resolve("statwit");
        Files.writeString(path, "#!/bin/sh\n" + text + "\n");
        path.toFile().setExecutable(true);
        return path.toString();
    }
}
