/* The receiver's HTTP side: one epoll loop, one thread, any number of keep-alive connections.
 *
 * POST or PUT .../_bulk is counted and answered (bulk_body.h); GET or HEAD / gives a version; GET /__stats
 * the counts; anything else is acknowledged, so that clients may install templates and ask for health. */
#ifndef SERVER_H
#define SERVER_H

#include "bulk_body.h"

#include <stdint.h>

#define SERVER_MAX_INFLATED (UINT64_C(1) << 30) /* bytes of a gzip body, unpacked */

typedef struct server server;

/* Listens on 127.0.0.1:port (0: any free one) and returns the server; *port is the one taken. `rules` is
 * borrowed. Exits with a message when it can't. */
server *server_new(const bulk_rules *rules, uint16_t *port);

/* Serves until SIGTERM or SIGINT, which it blocks and reads itself. */
void server_run(server *srv);

/* Closes every connection and frees. */
void server_free(server *srv);

#endif
