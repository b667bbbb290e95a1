/* http_server.h: a small HTTP server on a loop (libmicrohttpd, its epoll descriptor watched by the loop).
 *
 * For the admin pages: GET and POST with small bodies. All calls on the loop.
 */
#ifndef SLUICE_HTTP_SERVER_H
#define SLUICE_HTTP_SERVER_H

#include <sluice/loop.h>

typedef struct sl_http_server sl_http_server;

typedef struct sl_http_reply {
    int status;               /* 200 unless set */
    const char *content_type; /* static; text/plain unless set */
    sl_buf body;              /* taken over by the server */
} sl_http_reply;

/* Answers one request. Spans are valid during the call. */
typedef void (*sl_http_handler)(void *arg, sl_span method, sl_span path, sl_http_reply *reply);

#define SL_HTTP_SERVER_MAX_CONNECTIONS 64
#define SL_HTTP_SERVER_MAX_BODY        (64u * 1024)

/* host: an address or a name that resolves to one. port 0: any free one. NULL with err: SL_E_NETWORK. */
sl_http_server *sl_http_server_new(sl_loop *loop, const char *host, uint16_t port, sl_http_handler handler,
                                   void *arg, sl_err *err);
uint16_t sl_http_server_port(const sl_http_server *server);
void sl_http_server_free(sl_http_server *server); /* NULL is fine */

#endif
