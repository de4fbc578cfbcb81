#include "store/private.h"

int store_pool_start(struct store *s, bool all, struct err *err) {
    for (size_t i = 0; all && i < STORE_READERS; i++)
        if (!(s->pool.readers[i] = store_reader_on(s->path, false, err)))
            return -1;
    return 0;
}

void store_pool_stop(struct store *s) {
    for (size_t i = 0; i < STORE_READERS; i++)
        store_reader_close(s->pool.readers[i]);
}

struct reader *store_reader_take(struct store *s, struct err *err) {
    struct store_pool *pool = &s->pool;
    size_t at = STORE_READERS;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        /* One that is open already before one that must be opened. */
        for (size_t i = 0; i < STORE_READERS; i++)
            if (!pool->taken[i] && (at == STORE_READERS || (pool->readers[i] && !pool->readers[at])))
                at = i;
        if (at < STORE_READERS)
            break;
        pthread_cond_wait(&pool->given, &pool->lock);
    }
    pool->taken[at] = true;
    struct reader *reader = pool->readers[at];
    pthread_mutex_unlock(&pool->lock);
    if (reader)
        return reader;
    reader = store_reader_on(s->path, false, err);
    pthread_mutex_lock(&pool->lock);
    pool->readers[at] = reader;
    if (!reader) {
        pool->taken[at] = false;
        pthread_cond_signal(&pool->given);
    }
    pthread_mutex_unlock(&pool->lock);
    return reader;
}

void store_reader_give(struct store *s, struct reader *reader) {
    struct store_pool *pool = &s->pool;
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < STORE_READERS; i++)
        if (reader && pool->readers[i] == reader)
            pool->taken[i] = false;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}
