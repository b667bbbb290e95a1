/* endpoints.c: which address a request goes to. */
#include "endpoints.h"
#include <curl/curl.h>

#define PROBE_FIRST_NS SL_NS_PER_S
#define PROBE_MAX_NS   (60 * SL_NS_PER_S)

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK || !text)
        sl_bug("a URL that passed the check has no part %d", (int)part);
    return text;
}

/* With a name to verify, curl is told that the host is that name, and where to connect for it
 * (CURLOPT_CONNECT_TO): SNI, Host and the certificate's name are then all the same. */
static void set_server_name(sl_endpoint *endpoint, sl_span name)
{
    CURLU *url = curl_url();
    if (!url || curl_url_set(url, CURLUPART_URL, endpoint->shown, 0) != CURLUE_OK)
        sl_bug("a URL that passed the check is none");
    char *host = url_part(url, CURLUPART_HOST);
    char *port = url_part(url, CURLUPART_PORT);
    sl_buf text = SL_BUF_NONE;
    sl_buf_printf(&text, SL_SPAN_FMT ":%s:%s:%s", SL_SPAN_ARG(name), port, host, port);
    endpoint->connect_to = sl_strdup(sl_buf_cstr(&text));
    sl_buf_clear(&text);
    sl_buf_append_span(&text, name);
    char *base = NULL;
    if (curl_url_set(url, CURLUPART_HOST, sl_buf_cstr(&text), 0) == CURLUE_OK)
        curl_url_get(url, CURLUPART_URL, &base, 0);
    sl_free(endpoint->base);
    endpoint->base = sl_strdup(base ? base : endpoint->shown);
    curl_free(base);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    sl_buf_release(&text);
}

static void init_endpoint(sl_endpoint *endpoint, sl_span url, sl_span server_name)
{
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    endpoint->shown = sl_strndup(url.ptr, url.len);
    endpoint->base = sl_strdup(endpoint->shown);
    if (server_name.len) set_server_name(endpoint, server_name);
    for (size_t len = strlen(endpoint->base); len && endpoint->base[len - 1] == '/'; len--)
        endpoint->base[len - 1] = '\0';
    sl_backoff_init(&endpoint->backoff, PROBE_FIRST_NS, PROBE_MAX_NS);
    sl_backoff_init(&endpoint->distrust, PROBE_FIRST_NS, PROBE_MAX_NS);
}

void sl_endpoints_init(sl_endpoints *endpoints, const sl_http_conf *conf)
{
    sl_assert(conf->url.count > 0);
    endpoints->count = conf->url.count;
    endpoints->turn = 0;
    endpoints->items = sl_calloc(endpoints->count, sizeof *endpoints->items);
    for (size_t i = 0; i < endpoints->count; i++)
        init_endpoint(&endpoints->items[i], SL_LIST_AT(conf->url, sl_span, i), conf->tls.server_name);
}

void sl_endpoints_release(sl_endpoints *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        sl_endpoint *endpoint = &endpoints->items[i];
        sl_free(endpoint->shown);
        sl_free(endpoint->base);
        sl_free(endpoint->connect_to);
    }
    sl_free(endpoints->items);
    *endpoints = (sl_endpoints){0};
}

static bool is_strange(const sl_endpoint *endpoint, int64_t now_ns)
{
    return now_ns < endpoint->strange_until_ns;
}

static bool is_better(const sl_endpoint *a, const sl_endpoint *b, int64_t now_ns)
{
    if (a->down != b->down) return !a->down;
    if (a->down) return a->probe_at_ns < b->probe_at_ns;
    if (is_strange(a, now_ns) != is_strange(b, now_ns)) return !is_strange(a, now_ns);
    return a->in_flight < b->in_flight;
}

sl_endpoint *sl_endpoints_choose(sl_endpoints *endpoints, int64_t now_ns)
{
    sl_endpoint *best = NULL;
    size_t chosen = 0;
    for (size_t i = 0; i < endpoints->count; i++) {
        size_t at = (endpoints->turn + i) % endpoints->count;
        if (best && !is_better(&endpoints->items[at], best, now_ns)) continue;
        best = &endpoints->items[at];
        chosen = at;
    }
    endpoints->turn = chosen + 1;
    return best;
}

size_t sl_endpoints_healthy(const sl_endpoints *endpoints)
{
    size_t healthy = 0;
    for (size_t i = 0; i < endpoints->count; i++)
        healthy += !endpoints->items[i].down;
    return healthy;
}

size_t sl_endpoints_trusted(const sl_endpoints *endpoints, int64_t now_ns)
{
    size_t trusted = 0;
    for (size_t i = 0; i < endpoints->count; i++)
        trusted += !endpoints->items[i].down && !is_strange(&endpoints->items[i], now_ns);
    return trusted;
}

void sl_endpoints_trust(sl_endpoints *endpoints, sl_span url, bool useful, int64_t now_ns)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        sl_endpoint *endpoint = &endpoints->items[i];
        if (!sl_span_is_cstr(url, endpoint->shown)) continue;
        if (useful) sl_backoff_reset(&endpoint->distrust);
        endpoint->strange_until_ns = useful ? 0 : now_ns + sl_backoff_next(&endpoint->distrust);
    }
}

sl_endpoint *sl_endpoints_due(sl_endpoints *endpoints, int64_t now_ns)
{
    if (sl_endpoints_healthy(endpoints) == 0) return NULL;
    for (size_t i = 0; i < endpoints->count; i++) {
        sl_endpoint *endpoint = &endpoints->items[i];
        if (!endpoint->down || endpoint->probing || now_ns < endpoint->probe_at_ns) continue;
        endpoint->probing = true;
        return endpoint;
    }
    return NULL;
}

static bool says_down(const sl_answer *answer)
{
    return answer->transport != SL_TRANSPORT_OK || (answer->status >= 502 && answer->status <= 504);
}

void sl_endpoint_judge(sl_endpoint *endpoint, const sl_answer *answer, int64_t now_ns)
{
    endpoint->down = says_down(answer);
    if (!endpoint->down) {
        sl_backoff_reset(&endpoint->backoff);
        return;
    }
    int64_t delay = sl_backoff_next(&endpoint->backoff);
    if (delay < answer->retry_after_ns) delay = answer->retry_after_ns;
    endpoint->probe_at_ns = now_ns + delay;
}
