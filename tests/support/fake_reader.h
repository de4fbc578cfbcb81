/* A recording in memory behind core/reader.h, fed with DogStatsD text: for tests of who reads recordings.
 *
 *     struct fake *f = fake_new();
 *     fake_send(f, "login:1|c|#env:ci\nother:2|g");
 *     … fake_reader(f) …
 *     fake_free(f);
 *
 * Every record's id is one more than the one before, from 1; times are 1 ms apart. Threads: one.
 */
#ifndef SUPPORT_FAKE_READER_H
#define SUPPORT_FAKE_READER_H

#include "core/reader.h"

struct fake;
struct fake *fake_new(void);
void fake_free(struct fake *f);
/* What is sent from now on lands in this session ("default" at first), by this source (UDP at first). */
void fake_session(struct fake *f, const char *name);
void fake_source(struct fake *f, enum source source);
/* One datagram. */
void fake_send(struct fake *f, const char *datagram);
void fake_send_span(struct fake *f, struct span datagram);
/* As it came from the intake: with units, rates and the like. */
void fake_put(struct fake *f, const struct record *record);
/* session NULL: it concerns all. */
void fake_loss(struct fake *f, const char *session, enum loss loss, uint64_t n);
/* The same with the id of the newest record that was lost, as retention tells it. */
void fake_loss_of(struct fake *f, const char *session, enum loss loss, uint64_t n, uint64_t id);
struct reader *fake_reader(struct fake *f);
uint64_t fake_last_id(const struct fake *f);
/* As if so many records had come and gone. */
void fake_skip_to(struct fake *f, uint64_t last_id);

/* Shows no series whose name the filter says can't matter, though a reader may: so a name that was left out is noticed. */
extern bool fake_obeys_names;

#endif
