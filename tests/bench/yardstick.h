/* What the machine can do without statwit, measured in the same minute. */
#ifndef BENCH_YARDSTICK_H
#define BENCH_YARDSTICK_H

#include <stddef.h>
#include <stdint.h>

/* Rows a second: narrow rows (series, value), 200 an INSERT, 100,000 a transaction, WAL, synchronous=OFF, no index, on disk. */
double yardstick_insert(uint64_t n_rows);
/* Samples a second that one sendmmsg sender offers a process that only receives and counts. */
double yardstick_sink(uint64_t n_samples, size_t payload);
/* The share of the last sink's datagrams that arrived. */
double yardstick_sink_kept(void);

#endif
