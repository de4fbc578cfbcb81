package io.statwit.junit5;

import java.util.Map;
import org.opentest4j.AssertionFailedError;

/** A verdict, with the server's explanation. */
public final class Report {
    private final Map<String, Object> json;

    Report(Map<String, Object> json) {
        this.json = json;
    }

    /** pass, fail or inconclusive. */
    public String verdict() {
        return String.valueOf(json.get("verdict"));
    }

    /** The server's explanation. */
    public String text() {
        return String.valueOf(json.get("text")).stripTrailing();
    }

    /** The whole answer: maps, lists, texts, {@link Double}s, booleans and nulls. */
    public Map<String, Object> json() {
        return json;
    }

    /** Whether the verdict is pass. An inconclusive one is neither a yes nor a no, so it throws {@link Inconclusive}. */
    public boolean passed() {
        if (verdict().equals("inconclusive"))
            throw new Inconclusive(this);
        return verdict().equals("pass");
    }

    void check() {
        if (!passed())
            throw new AssertionFailedError(toString());
    }

    @Override
    public String toString() {
        return "statwit: " + verdict() + "\n" + text();
    }
}
