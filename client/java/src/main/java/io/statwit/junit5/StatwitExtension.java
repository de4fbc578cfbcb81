package io.statwit.junit5;

import java.lang.reflect.Constructor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * {@code @ExtendWith(StatwitExtension.class)}: a parameter of the type {@link Metrics} is a session of its own for each test. Where
 * {@code @BeforeAll} takes one, all tests of the class share it, and each looks from its own start. A test that fails shows what
 * was recorded.
 */
public final class StatwitExtension implements ParameterResolver, BeforeEachCallback, AfterTestExecutionCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(StatwitExtension.class);

    /** What a store of JUnit closes at its end. */
    @SuppressWarnings("deprecation") // its successor came with JUnit 5.13
    private static final class Held<T extends AutoCloseable> implements ExtensionContext.Store.CloseableResource, AutoCloseable {
        final T thing;
        final boolean ends;

        Held(T thing, boolean ends) {
            this.thing = thing;
            this.ends = ends;
        }

        @Override
        public void close() throws Exception {
            if (ends)
                thing.close();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Metrics.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        if (parameter.getDeclaringExecutable() instanceof Constructor)
            throw new ParameterResolutionException("Metrics are a parameter of a test, of @BeforeEach or of @BeforeAll, not of a constructor");
        return metrics(context);
    }

    @SuppressWarnings("unchecked")
    private static Metrics metrics(ExtensionContext context) {
        Held<Recorder> recorder = context.getRoot().getStore(NAMESPACE)
            .getOrComputeIfAbsent(Recorder.class, key -> new Held<>(Recorder.find(), true), Held.class);
        Held<Metrics> metrics = context.getStore(NAMESPACE)
            .getOrComputeIfAbsent(Metrics.class, key -> new Held<>(recorder.thing.session(label(context)), true), Held.class);
        return metrics.thing;
    }

    private static String label(ExtensionContext context) {
        String of = context.getRequiredTestClass().getName();
        return context.getTestMethod().isPresent() ? of + "#" + context.getDisplayName() : of;
    }

    /** Puts the view of a session that the class shares into this test's own store. */
    @Override
    public void beforeEach(ExtensionContext context) {
        Held<?> shared = context.getStore(NAMESPACE).get(Metrics.class, Held.class);
        if (shared != null)
            context.getStore(NAMESPACE).put(Metrics.class, new Held<>(((Metrics) shared.thing).fromNow(), false));
        else if (!expects(context).isEmpty())
            metrics(context);
    }

    /** Of the test's class, of those that it is nested in, and of the method. */
    private static List<Expects> expects(ExtensionContext context) {
        List<Expects> found = new ArrayList<>();
        for (Class<?> type = context.getRequiredTestClass(); type != null; type = type.getEnclosingClass())
            AnnotationSupport.findAnnotation(type, Expects.class).ifPresent(found::add);
        AnnotationSupport.findAnnotation(context.getTestMethod(), Expects.class).ifPresent(found::add);
        return found;
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        Held<?> held = context.getStore(NAMESPACE).get(Metrics.class, Held.class);
        if (held == null)
            return;
        Metrics metrics = (Metrics) held.thing;
        Optional<Throwable> failed = context.getExecutionException();
        if (failed.isPresent()) {
            failed.get().addSuppressed(recorded(metrics));
            return;
        }
        for (Expects expects : expects(context))
            judge(metrics, expects);
    }

    private static void judge(Metrics metrics, Expects expects) {
        try {
            metrics.eventually(Duration.ofMillis(expects.withinMs()), expects.value());
        } catch (AssertionError | RuntimeException e) {
            e.addSuppressed(recorded(metrics));
            throw e;
        }
    }

    private static Throwable recorded(Metrics metrics) {
        String table;
        try {
            table = metrics.table();
        } catch (RuntimeException e) {
            table = "unknown: " + e.getMessage();
        }
        return new Recorded(table);
    }

    /** The metrics that a failed test emitted. */
    private static final class Recorded extends Exception {
        private static final long serialVersionUID = 1;

        Recorded(String table) {
            super("metrics recorded:\n" + table, null, false, false);
        }

        @Override
        public String toString() {
            return getMessage();
        }
    }
}
