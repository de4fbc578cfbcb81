/* Private to decode/intake: the body of v3 series as it is on the wire, its columns side by side.
 *
 *     message Payload { PayloadMetadata metadata = 2; MetricData metric_data = 3; }
 *     message PayloadMetadata { repeated string tags = 1;       // added to every series
 *                               repeated string resources = 2;  // type, name, type, name, ...
 *                             }
 *     message MetricData { ... COLUMNS_TEXT and COLUMNS_NUMBERS, field by field ... }
 *
 * Dictionaries (dict_*_str, dict_*_name) are texts one after the other, each with its length before it as a varint; an
 * index into one counts from 1, and 0 is the empty text. All *_refs, timestamps and indexes are differences to the one
 * before. How the columns fit together: series_v3.c.
 */
#ifndef DECODE_INTAKE_COLUMNS_H
#define DECODE_INTAKE_COLUMNS_H

#include "decode/intake/wire.h"

/* field number, name */
#define COLUMNS_TEXT(X)                                                                                      \
    X(1, dict_name_str)                                                                                      \
    X(2, dict_tag_str)                                                                                       \
    X(4, dict_resource_str)                                                                                  \
    X(8, dict_source_type_name)                                                                              \
    X(25, dict_unit_str)

/* field number, name, what one becomes, what it is on the wire */
#define COLUMNS_NUMBERS(X)                                                                                   \
    X(3, dict_tagsets, int64_t, WIRE_SINT64)                                                                 \
    X(5, dict_resource_len, int64_t, WIRE_INT64)                                                             \
    X(6, dict_resource_type, int64_t, WIRE_SINT64)                                                           \
    X(7, dict_resource_name, int64_t, WIRE_SINT64)                                                           \
    X(9, dict_origin_info, int32_t, WIRE_INT32) /* product, category, service */                             \
    X(10, types, uint64_t, WIRE_UINT64)                                                                      \
    X(11, name_refs, int64_t, WIRE_SINT64)                                                                   \
    X(12, tagset_refs, int64_t, WIRE_SINT64)                                                                 \
    X(13, resources_refs, int64_t, WIRE_SINT64)                                                              \
    X(14, intervals, uint64_t, WIRE_UINT64)                                                                  \
    X(15, num_points, uint64_t, WIRE_UINT64)                                                                 \
    X(16, timestamps, int64_t, WIRE_SINT64)                                                                  \
    X(17, vals_sint64, int64_t, WIRE_SINT64)                                                                 \
    X(18, vals_float32, float, WIRE_FLOAT)                                                                   \
    X(19, vals_float64, double, WIRE_DOUBLE)                                                                 \
    X(20, sketch_num_bins, uint64_t, WIRE_UINT64)                                                            \
    X(21, sketch_bin_keys, int32_t, WIRE_SINT32)                                                             \
    X(22, sketch_bin_cnts, uint32_t, WIRE_UINT32)                                                            \
    X(23, source_type_name_refs, int64_t, WIRE_SINT64)                                                       \
    X(24, origin_info_refs, int64_t, WIRE_SINT64)                                                            \
    X(26, unit_refs, int64_t, WIRE_SINT64)

struct columns {
    bool has_data; /* there is a MetricData */
#define X(number, name) struct span name;
    COLUMNS_TEXT(X)
#undef X
#define X(number, name, type, kind)                                                                          \
    size_t n_##name;                                                                                         \
    type *name; /* NULL when it is not there */
    COLUMNS_NUMBERS(X)
#undef X
    size_t n_tags, n_resources; /* of the metadata */
    struct span *tags, *resources;
};

/* Fills *c, whose lists are the arena's and whose texts are the body's. false: malformed, or the arena failed. */
bool columns_read(struct columns *c, struct span body, struct arena *arena);

#endif
