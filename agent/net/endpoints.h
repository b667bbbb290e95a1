/* endpoints.h: the addresses of one service and what is known of their health. Inside net/ only.
 *
 * An address is down after a transport error or a 502, 503 or 504, until a probe or a request to it is
 * answered otherwise; the time between probes grows from 1 s to 60 s with jitter.
 *
 * One that answers, but not as this service would (a login page, another server, one that does not know these
 * credentials), is strange: it gets no request while there are others, for a time that grows in the same way.
 * A probe would not tell: the next request after that time does. One loop.
 */
#ifndef SLUICE_ENDPOINTS_H
#define SLUICE_ENDPOINTS_H

#include "base/backoff.h"
#include <sluice/http.h>

typedef struct sl_endpoint {
    char *shown;      /* the address as configured, without a slash at its end */
    char *base;       /* the same as curl is to see it: with tls.server_name for the host */
    char *connect_to; /* "name:port:host:port" for CURLOPT_CONNECT_TO, or NULL */
    sl_backoff backoff;
    int64_t probe_at_ns; /* when down: monotonic time of the next probe */
    bool down;
    bool probing;
    sl_backoff distrust;
    int64_t strange_until_ns; /* 0: its latest answer was of use */
    unsigned in_flight;
} sl_endpoint;

typedef struct sl_endpoints {
    sl_endpoint *items;
    size_t count;
    size_t turn; /* where the search for the least busy one begins */
} sl_endpoints;

void sl_endpoints_init(sl_endpoints *endpoints, const sl_http_conf *conf);
void sl_endpoints_release(sl_endpoints *endpoints);
/* Where the next request goes: the least busy of those that are up and not strange, in turn among equals;
 * else a strange one; when all are down, the one whose probe is due first. Never NULL. */
sl_endpoint *sl_endpoints_choose(sl_endpoints *endpoints, int64_t now_ns);
/* One that is down and whose probe is due now, marked as being probed; or NULL. While none is up, the
 * requests themselves are the probes. */
sl_endpoint *sl_endpoints_due(sl_endpoints *endpoints, int64_t now_ns);
void sl_endpoint_judge(sl_endpoint *endpoint, const sl_answer *answer, int64_t now_ns);
/* Whether an answer of the address shown as `url` was of any use, whatever its status said. */
void sl_endpoints_trust(sl_endpoints *endpoints, sl_span url, bool useful, int64_t now_ns);
size_t sl_endpoints_healthy(const sl_endpoints *endpoints);
/* Up and not strange. */
size_t sl_endpoints_trusted(const sl_endpoints *endpoints, int64_t now_ns);

#endif
