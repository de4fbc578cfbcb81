/* Finding the route of a path. Pure. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/route.h"

/* Cuts the target into rq->raw_path, raw_query, path and args, and decodes them. *text is memory of
 * router_room(target.n) bytes that the request keeps. -1: too many arguments. */
size_t router_room(struct span target);
int router_parse(struct http_request *rq, char *room);

/* The route for rq->method and rq->raw_path, with rq->params filled; NULL: *allowed holds the methods that
 * the path does have, 0 when there is no such path. */
const struct route *router_find(const struct route_table *const *tables, size_t n_tables,
                                struct http_request *rq, unsigned *allowed);

/* The last route of the last table, which takes any path. */
const struct route *router_last(const struct route_table *const *tables, size_t n_tables);

/* Whether a pattern of a route matches a raw path; its parameters are left undecoded. */
bool router_matches(const char *pattern, struct span path, struct span params[HTTP_PARAMS_MAX],
                    size_t *n_params);
/* Undoes %xx (and + in queries) into *room, which moves on by at most s.n bytes. What is not a valid escape stays as it is. */
struct span router_decode(struct span s, bool plus, char **room);

/* Whether errors of this raw path are lists: the first table that has the path, with whatever method, says so. */
bool router_lists_errors(const struct route_table *const *tables, size_t n_tables, struct span path);

/* "GET, HEAD, POST" */
void router_methods(unsigned methods, struct buf *text);
/* 0: not one we know. HEAD is GET. */
enum http_method router_method(struct span word);

#endif
