/* Random numbers for sampling, one generator for each thread: fast, unpredictable enough, not for secrets.
 *
 * Threads: any. A child of fork is given a seed of its own (random_reseed).
 */
#ifndef CLIENT_EMIT_RANDOM_H
#define CLIENT_EMIT_RANDOM_H

/* Uniform in [0, 1). */
double random_unit(void);
void random_reseed(void);

#endif
