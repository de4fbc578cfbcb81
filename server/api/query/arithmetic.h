/* Private to api/query: + - * / of tables and numbers.
 *
 * Values meet at the same time and in groups of the same tags; a table without groups meets every group of the other.
 * Where one side has no point, its `missing` stands for it (as_count, as_rate: 0), else the result has a point without a
 * value. So has a division by zero. Source: schema/protocol/datadog-http.md section 15.4.
 */
#ifndef API_QUERY_ARITHMETIC_H
#define API_QUERY_ARITHMETIC_H

#include "api/query/query.h"

/* left becomes the result. */
int arithmetic_tables(struct query_run *run, char op, struct query_table *left,
                      const struct query_table *right);
void arithmetic_number(char op, struct query_table *t, double number, bool number_is_left);

#endif
