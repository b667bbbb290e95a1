/* http_client.h: HTTP/1.1 requests to one service that may have several addresses.
 *
 * One client an output, on its loop. It spreads requests over the addresses that answer, keeps connections
 * open for the next request, and remembers which addresses failed: those get a small probe of their own from
 * time to time, and real requests again once one is answered. It does not retry: that is delivery's.
 *
 * Redirects are not followed: the answer says 3xx. Nothing runs while no request is under way.
 */
#ifndef SLUICE_HTTP_CLIENT_H
#define SLUICE_HTTP_CLIENT_H

#include <sluice/http.h>
#include <sluice/loop.h>

/* A longer Retry-After is taken as this: a mistaken clock must not silence an output for days. */
#define SL_MAX_RETRY_AFTER_NS (600 * SL_NS_PER_S)
/* Kept-alive connections idle this long are closed rather than used again, before most servers do it (nginx:
 * 75 s). */
#define SL_HTTP_MAX_IDLE_S 55
/* Connections older than this are not used again, so that a changed DNS name, a balancer, or replaced
 * certificate files are seen: those are read anew for each connection. */
#define SL_HTTP_MAX_CONNECTION_AGE_S 600

typedef struct sl_http_client sl_http_client;
typedef struct sl_http_call sl_http_call;

/* conf must have passed sl_http_conf_check() and outlive the client. */
sl_http_client *sl_http_client_new(sl_loop *loop, const sl_http_conf *conf);
/* Gives up what is under way: answered() is not called for it. Not from within an answered(). NULL is fine.
 */
void sl_http_client_free(sl_http_client *client);

typedef struct sl_http_send {
    const char *method;            /* "POST", "PUT", "GET", "HEAD", … */
    sl_span path;                  /* what follows the address: "/_bulk?…"; copied */
    const char *content_type;      /* static; NULL without a body */
    const char *content_encoding;  /* static; NULL: none */
    const sl_http_header *headers; /* of this request alone; copied */
    size_t header_count;
    sl_span body; /* not copied: must stay as it is until answered or cancelled */
    /* On the loop, never from within sl_http_client_send(). The answer's spans live during the call. */
    void (*answered)(void *arg, const sl_answer *answer);
    void *arg;
} sl_http_send;

sl_http_call *sl_http_client_send(sl_http_client *client, const sl_http_send *send);
void sl_http_call_cancel(sl_http_call *call); /* answered() is not called */

/* How many of the addresses are not known to be down. */
size_t sl_http_client_healthy(const sl_http_client *client);
/* For whoever understands answers: whether one, which came whole, was what this service would say. Requests
 * keep away for a while from an address whose latest was not, as long as there are others. */
void sl_http_client_trust(sl_http_client *client, const sl_answer *answer, bool useful);
/* How many of the addresses are up and of use, as far as is known. */
size_t sl_http_client_trusted(const sl_http_client *client);

#endif
