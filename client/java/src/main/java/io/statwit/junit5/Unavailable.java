package io.statwit.junit5;

/** There is no recorder: no program, it does not start, or the server does not answer as one. */
public final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unavailable(String why) {
        super("statwit: " + why);
    }
}
