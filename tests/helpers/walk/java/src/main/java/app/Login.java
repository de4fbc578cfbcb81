package app;

import com.timgroup.statsd.StatsDClient;

/** The application of the walk. */
public final class Login {
    private final StatsDClient client;

    public Login(StatsDClient client) {
        this.client = client;
    }

    public void as(String name) {
        client.incrementCounter("login.attempt", "instance:" + (name.equals("nobody") ? "failure" : "success"));
    }
}
