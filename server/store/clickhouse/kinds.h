/* The kinds of rows in the table `records`, whose column holds the number: append only. */
#ifndef STORE_CLICKHOUSE_KINDS_H
#define STORE_CLICKHOUSE_KINDS_H

enum fleet_kind {
    FLEET_EVENT,
    FLEET_CHECK,
    FLEET_REJECT,
    FLEET_REQUEST,
    FLEET_LOSS,
    FLEET_SESSION,
    FLEET_LARGE,
    FLEET_RUN
};

#endif
