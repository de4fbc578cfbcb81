/* Between plain.c and plain_answer.c: one exchange under way. */
#ifndef CLIENT_REPORT_PLAIN_ANSWER_H
#define CLIENT_REPORT_PLAIN_ANSWER_H

#include "report/plain.h"

struct plain_way {
    struct plain *plain;
    struct plain_exchange *exchange;
    enum plain_end (*fill)(struct plain_way *way); /* receives more, behind what is there already */
    int64_t since_ms;                              /* when time began to run */
    bool cut;                                      /* not all of the request was sent */
    bool last;                                     /* the connection ends with this answer */
};

/* plain_answer.c: reads one answer. */
enum plain_end plain_answer(struct plain_way *way);

#endif
