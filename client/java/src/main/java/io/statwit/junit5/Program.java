package io.statwit.junit5;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The statwit program as a child of this process. It ends when this process does: its stdin is a pipe that nobody else has. */
final class Program implements AutoCloseable {
    private static final int READY_MAX = 1 << 16;

    final Map<?, ?> ready;
    final String path;
    private final Process process;

    private Program(String path, Process process, Map<?, ?> ready) {
        this.path = path;
        this.process = process;
        this.ready = ready;
    }

    /** STATWIT_BIN, the program that a jar of the class path carries, the one of PATH. */
    static Program start(Map<String, String> env, List<String> args) {
        String given = env.getOrDefault("STATWIT_BIN", "");
        if (!given.isEmpty()) {
            if (!isProgram(given))
                throw new Unavailable("STATWIT_BIN is '" + given + "', which is no program that can be run");
            return start(given, args);
        }
        String platform = System.getProperty("os.name").toLowerCase() + "-" + System.getProperty("os.arch");
        try (InputStream carried = Program.class.getResourceAsStream("/io/statwit/" + platform + "/statwit")) {
            if (carried != null)
                return startCarried(carried, args);
        } catch (IOException e) {
            throw new Unavailable("cannot unpack the program that the class path carries into java.io.tmpdir: " + e + ": set STATWIT_BIN");
        }
        for (String folder : env.getOrDefault("PATH", "").split(":"))
            if (!folder.isEmpty() && isProgram(folder + "/statwit"))
                return start(folder + "/statwit", args);
        throw new Unavailable("there is no statwit program for " + platform + " in the class path or in PATH: install it, set STATWIT_BIN to "
            + "its path, or start it elsewhere and set STATWIT_URL");
    }

    private static boolean isProgram(String path) {
        try {
            return Files.isRegularFile(Path.of(path)) && Files.isExecutable(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static Program startCarried(InputStream carried, List<String> args) throws IOException {
        Path file = Files.createTempFile("statwit", "", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            Files.copy(carried, file, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
            return start(file.toString(), args);
        } finally {
            Files.delete(file); // the program that runs does not need it
        }
    }

    private static Program start(String path, List<String> args) {
        List<String> command = new ArrayList<>(List.of(path, "serve", "--private"));
        command.addAll(args);
        Process process;
        try {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException e) {
            throw new Unavailable("cannot start " + path + ": " + e.getMessage());
        }
        try {
            return new Program(path, process, readyLine(path, command, process));
        } catch (RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private static Map<?, ?> readyLine(String path, List<String> command, Process process) {
        StringBuilder line = new StringBuilder();
        try {
            Reader said = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            int c;
            while ((c = said.read()) >= 0 && c != '\n' && line.length() < READY_MAX)
                line.append((char) c);
            if (line.length() == 0 && c < 0)
                throw new Unavailable(String.join(" ", command) + " ended with status " + process.waitFor() + " before it was ready");
            Object told = Json.read(line.toString());
            if (told instanceof Map)
                return (Map<?, ?>) told;
        } catch (IOException | IllegalArgumentException e) {
            // said below
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new Unavailable(path + " does not answer as statwit does");
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(15, TimeUnit.SECONDS))
                process.destroyForcibly().waitFor();
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
