/* The tags of one metric, merged from where they come from: a later one with the same key replaces the value
 * and keeps the place.
 *
 * Ownership: keys and values are borrowed until the list is no longer used.
 * Limits: TAGS_MAX; one more sets overflow.
 * Threads: any.
 */
#ifndef CLIENT_EMIT_TAGS_H
#define CLIENT_EMIT_TAGS_H

#include "emit/line.h"
#include "statwit.h"

#define TAGS_MAX 512

struct tags {
    size_t n;
    bool overflow;
    struct statwit_tag list[TAGS_MAX];
};

void tags_put(struct tags *tags, const char *key, const char *value);
/* list may be NULL. */
void tags_put_all(struct tags *tags, const struct statwit_tag *list);
/* key:value, cleaned; a NULL value is None, an empty key leaves the value alone. */
void tags_render_one(struct line *line, const struct statwit_tag *tag);
/* a:b,c:d without the leading #. */
void tags_render(struct line *line, const struct tags *tags);

/* The open scopes, scope.c. While any is open scope_any is true. Between scope_lock and scope_unlock what
 * scope_walk shows stays valid. */
bool scope_any(void);
void scope_lock(void);
void scope_unlock(void);
void scope_walk(void (*visit)(void *context, const struct statwit_tag *tags), void *context);
/* pthread_atfork: the lock is held across fork, and made anew in the child. */
void scope_before_fork(void);
void scope_after_fork(bool child);

#endif
