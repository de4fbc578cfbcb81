/* The live page: what a browser shows at "/".
 *
 * Its files are compiled in and hold no data: the page asks /recorder/v1 for all it shows, with the token where there is one.
 * Nothing of it is recorded. The files are plain ES modules; nothing is loaded from elsewhere, and the Content-Security-Policy
 * says so.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "http/route.h"

extern const struct route_table page_routes;

#endif
