/* All readers are opened with the store: later its path may lead elsewhere, or nowhere. */
#include "store/sqlite/private.h"

int store_pool_start(struct store *s, struct err *err) {
    for (size_t i = 0; i < STORE_READERS; i++)
        if (!(s->pool.readers[i] = store_reader_own(s->path, err)))
            return -1;
    return 0;
}

void store_pool_stop(struct store *s) {
    for (size_t i = 0; i < STORE_READERS; i++)
        reader_close(s->pool.readers[i]);
}

struct reader *store_reader_take(struct store *s, struct err *err) {
    (void)err;
    struct store_pool *pool = &s->pool;
    size_t at = 0;
    pthread_mutex_lock(&pool->lock);
    while (pool->taken[at])
        if (++at == STORE_READERS) {
            pthread_cond_wait(&pool->given, &pool->lock);
            at = 0;
        }
    pool->taken[at] = true;
    pthread_mutex_unlock(&pool->lock);
    return pool->readers[at];
}

void store_pool_drop(struct store *s, void (*drop)(struct reader *)) {
    struct store_pool *pool = &s->pool;
    pthread_mutex_lock(&pool->lock);
    pool->drop = drop;
    for (size_t i = 0; i < STORE_READERS; i++)
        if (pool->taken[i])
            pool->drops[i] = true;
        else
            drop(pool->readers[i]);
    pthread_mutex_unlock(&pool->lock);
}

void store_reader_give(struct store *s, struct reader *reader) {
    struct store_pool *pool = &s->pool;
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < STORE_READERS; i++)
        if (pool->readers[i] == reader) {
            if (pool->drops[i])
                pool->drop(reader);
            pool->taken[i] = pool->drops[i] = false;
        }
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}
