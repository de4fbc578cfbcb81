package io.statwit.junit5;

/**
 * Something was lost that could have changed the verdict. It is no AssertionError, so that a test that waits for one does not take
 * this for it.
 */
public final class Inconclusive extends IllegalStateException {
    private static final long serialVersionUID = 1;

    private final transient Report report;

    Inconclusive(Report report) {
        super(report.toString());
        this.report = report;
    }

    public Report report() {
        return report;
    }
}
