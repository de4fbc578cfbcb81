/* make OUT VERSION SQL…: writes the template of a new recording, which statwit carries (template.h). Runs on the machine that
 * builds, whatever it builds for: a database file is the same everywhere.
 *
 *     size of the file, its places, its pieces             each number 4 bytes, the highest first
 *     for each place:  what belongs there, its offset      8 bytes that differ from recording to recording
 *     for each piece:  offset, size, bytes                 all between them is zero
 *
 * What the SQL takes from chance and from the clock is a mark here, by which its place is found. Nothing else in the file depends on
 * when, where and by which SQLite it was made.
 */
#include "make.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE  "8192"
#define GAP        32 /* zeros that are worth a piece of their own */
#define MARK       0x6d61726b00000000
#define NOW_S      1111111111
#define PLACES_MAX 8
#define TEXT_MAX   (1 << 20)

static int n_random;

static void die(const char *what, const char *why) {
    fprintf(stderr, "template: %s: %s\n", what, why);
    exit(1);
}

/* random(), but known. */
static void sql_random(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    (void)values;
    sqlite3_result_int64(context, MARK + n_random++);
}

/* strftime('%s'): the one moment that is no moment. */
static void sql_now(sqlite3_context *context, int n, sqlite3_value **values) {
    (void)n;
    (void)values;
    sqlite3_result_int64(context, NOW_S);
}

static void run_sql(sqlite3 *db, const char *sql, const char *what) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(what, sqlite3_errmsg(db));
}

static void run_file(sqlite3 *db, const char *path) {
    static char text[TEXT_MAX];
    FILE *in = fopen(path, "r");
    size_t n = in ? fread(text, 1, sizeof text, in) : 0;
    if (n == 0 || n == sizeof text)
        die(path, "cannot be read");
    text[n] = '\0';
    fclose(in);
    run_sql(db, text, path);
}

static void store_be(unsigned char *at, unsigned long value) {
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put_number(FILE *out, size_t value) {
    unsigned char bytes[4];
    store_be(bytes, value);
    fwrite(bytes, 1, sizeof bytes, out);
}

/* What depends on who wrote it: whether there is a log (yes), how often it was changed, and by which SQLite. */
static void make_even(unsigned char *file) {
    file[18] = file[19] = 2;
    store_be(file + 24, 1);
    store_be(file + 92, 1);
    store_be(file + 96, 0);
}

static size_t place_of(const unsigned char *file, size_t size, unsigned long long mark) {
    unsigned char bytes[8];
    size_t found = 0;
    store_be(bytes, (unsigned long)(mark >> 32));
    store_be(bytes + 4, (unsigned long)(mark & 0xffffffff));
    for (size_t at = 0; at + sizeof bytes <= size; at++)
        if (memcmp(file + at, bytes, sizeof bytes) == 0) {
            if (found)
                die("a mark", "is there twice");
            found = at;
        }
    if (!found)
        die("a mark", "is nowhere");
    return found;
}

/* Where the next piece ends: before the next long gap. */
static size_t piece_end(const unsigned char *file, size_t at, size_t size) {
    size_t end = at;
    for (; at < size && at - end < GAP; at++)
        if (file[at])
            end = at + 1;
    return end;
}

static size_t each_piece(const unsigned char *file, size_t size, FILE *out) {
    size_t n = 0;
    for (size_t at = 0; at < size; n++) {
        size_t end = piece_end(file, at, size);
        if (out) {
            put_number(out, at);
            put_number(out, end - at);
            fwrite(file + at, 1, end - at, out);
        }
        for (at = end; at < size && !file[at];)
            at++;
    }
    return n;
}

static void write_template(const char *path, unsigned char *file, size_t size) {
    size_t places[PLACES_MAX], n = (size_t)n_random;
    if (n + 1 > PLACES_MAX)
        die("random()", "is called too often");
    for (size_t i = 0; i < n; i++)
        places[i] = place_of(file, size, MARK + i);
    places[n] = place_of(file, size, NOW_S * 1000000000ULL);
    for (size_t i = 0; i <= n; i++)
        memset(file + places[i], 0, 8);
    FILE *out = fopen(path, "w");
    if (!out)
        die(path, "cannot be written");
    put_number(out, size);
    put_number(out, n + 1);
    put_number(out, each_piece(file, size, NULL));
    for (size_t i = 0; i <= n; i++) {
        put_number(out, i < n ? TEMPLATE_RANDOM : TEMPLATE_NOW);
        put_number(out, places[i]);
    }
    each_piece(file, size, out);
    if (ferror(out) || fclose(out) != 0)
        die(path, "cannot be written");
}

int main(int argc, char **argv) {
    sqlite3 *db = NULL;
    char version[64];
    if (argc < 4)
        die("usage", "make OUT VERSION SQL...");
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        die("SQLite", "cannot start");
    sqlite3_create_function(db, "random", 0, SQLITE_UTF8, NULL, sql_random, NULL, NULL);
    sqlite3_create_function(db, "strftime", 1, SQLITE_UTF8, NULL, sql_now, NULL, NULL);
    run_sql(db, "PRAGMA page_size = " PAGE_SIZE "; BEGIN", "a page's size");
    for (int i = 3; i < argc; i++)
        run_file(db, argv[i]);
    snprintf(version, sizeof version, "PRAGMA user_version = %d; COMMIT", atoi(argv[2]));
    run_sql(db, version, "the version");
    sqlite3_int64 size = 0;
    unsigned char *file = sqlite3_serialize(db, "main", &size, 0);
    if (!file)
        die("SQLite", "does not hand out the file");
    make_even(file);
    write_template(argv[1], file, (size_t)size);
    sqlite3_free(file);
    sqlite3_close(db);
    return 0;
}
