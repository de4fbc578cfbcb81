package io.statwit.junit5;

/** The server refused a question. The message shows the place. */
public final class Malformed extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    final int status;

    Malformed(int status, String why) {
        super(why);
        this.status = status;
    }
}
