/* CSV as RFC 4180 has it, with the places of its errors.
 *
 * Fields may be quoted, "" is a quote within one, lines end in LF or CRLF, also within quotes; a byte-order
 * mark at the start is skipped, empty lines too. Ownership: the fields are valid until the callback returns.
 * Errors: -1 with *error: a quote inside an unquoted field, text behind a closing quote, a quote that never
 * closes, a lone carriage return, NUL, bytes that are not UTF-8; or what the callback complained about.
 * Limits: CSV_FIELDS_MAX fields in a row.
 * Source: RFC 4180.
 */
#ifndef CATALOG_CSV_H
#define CATALOG_CSV_H

#include "catalog/error.h"

#define CSV_FIELDS_MAX 64

struct csv_row {
    size_t line; /* on which it starts */
    size_t n;
    struct span fields[CSV_FIELDS_MAX];
    size_t lines[CSV_FIELDS_MAX], columns[CSV_FIELDS_MAX]; /* where each field starts */
};

int csv_read(struct span text, const char *file,
             int (*row)(void *, const struct csv_row *, struct catalog_error *), void *arg,
             struct catalog_error *error);
/* Appends a field, quoted where it has to be. */
void csv_field(struct buf *out, struct span field);

#endif
