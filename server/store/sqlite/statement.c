#include "store/sqlite/rows.h"

#include <errno.h>
#include <stdlib.h>

int rows_damaged(struct err *err) {
    return err_set(err, 0, "the recording is damaged: `sqlite3 FILE 'PRAGMA integrity_check'` may say where");
}

sqlite3_stmt *rows_statement(struct rows *r, const char *sql, struct err *err) {
    size_t at = ROWS_STATEMENTS;
    for (size_t i = 0; i < ROWS_STATEMENTS; i++) {
        if (r->statements[i].busy)
            continue;
        if (!r->statements[i].sql || strcmp(r->statements[i].sql, sql) == 0) {
            at = i;
            break;
        }
    }
    for (size_t i = 0; at == ROWS_STATEMENTS && i < ROWS_STATEMENTS; i++) {
        size_t victim = r->next_victim++ % ROWS_STATEMENTS;
        if (r->statements[victim].busy)
            continue;
        sqlite3_finalize(r->statements[victim].stmt);
        free(r->statements[victim].sql);
        r->statements[victim].sql = NULL;
        r->statements[victim].stmt = NULL;
        at = victim;
    }
    if (at == ROWS_STATEMENTS) {
        err_set(err, 0, "too many questions within questions");
        return NULL;
    }
    if (!r->statements[at].sql) {
        sqlite3_stmt *stmt = db_prepare(r->db, sql, err);
        char *copy = stmt ? strdup(sql) : NULL;
        if (!copy) {
            sqlite3_finalize(stmt);
            err_set(err, ENOMEM, "cannot read the recording");
            return NULL;
        }
        r->statements[at].sql = copy;
        r->statements[at].stmt = stmt;
    }
    r->statements[at].busy = true;
    return r->statements[at].stmt;
}

void rows_done(struct rows *r, sqlite3_stmt *stmt) {
    for (size_t i = 0; stmt && i < ROWS_STATEMENTS; i++) {
        if (r->statements[i].stmt != stmt)
            continue;
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
        r->statements[i].busy = false;
        return;
    }
}
