package io.statwit.junit5;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Expectations that must hold when the test has ended. Those of the method, of its class and of the classes around that all count;
 * those of a class stand in for those of its superclass.
 */
@Inherited
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(StatwitExtension.class)
public @interface Expects {
    String[] value();

    /** Milliseconds to wait until they hold, for what a client still buffers. */
    long withinMs() default 0;
}
