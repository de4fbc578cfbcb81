/* What belongs into the places of a template: make.c writes them, template.c fills them. */
#ifndef STORE_SQLITE_TEMPLATE_MAKE_H
#define STORE_SQLITE_TEMPLATE_MAKE_H

enum template_place {
    TEMPLATE_RANDOM, /* 8 bytes of chance */
    TEMPLATE_NOW     /* nanoseconds since 1970 */
};

#endif
