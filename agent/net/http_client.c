/* http_client.c: one libcurl transfer a request, many at a time, on one loop.
 *
 * A call object owns a curl handle and is used again for request after request; the handle is reset each
 * time, so that no option of one request can leak into the next. Bodies are not copied: curl reads from the
 * caller's buffer.
 *
 * Not trusted: everything that comes back. An answer is read into a buffer of at most max_answer bytes.
 */
#include "http_client.h"
#include "curl_loop.h"
#include "endpoints.h"
#include "http_headers.h"
#include "transport_error.h"
#include <stdio.h>

#define MAX_KEPT_CONNECTIONS 32
#define MAX_IDLE_CALLS       8
#define UPLOAD_BUFFER        (256L * 1024)
#define DNS_CACHE_S          5L            /* names are asked for with new connections only: that is seldom */
#define KEEP_ANSWER_BYTES    (256u * 1024) /* an answer buffer that grew beyond this is given back */
#define USER_AGENT           "sluice/" SLUICE_VERSION

struct sl_http_client {
    sl_loop *loop;
    const sl_http_conf *conf;
    sl_curl_loop *curl;
    sl_endpoints endpoints;
    sl_http_headers headers;
    sl_http_call *live; /* doubly linked */
    sl_http_call *idle; /* singly linked, at most MAX_IDLE_CALLS */
    size_t idle_count;
};

struct sl_http_call {
    sl_http_client *client;
    sl_http_call *next, *prev;
    CURL *easy;
    sl_endpoint *endpoint;
    struct curl_slist *connect_to;
    struct curl_slist *headers; /* its own before those of the client */
    size_t own_headers;
    sl_buf url;
    sl_buf answer;
    bool too_long;
    int64_t started_ns;
    void (*answered)(void *arg, const sl_answer *answer); /* NULL: a probe */
    void *arg;
    char said[CURL_ERROR_SIZE]; /* by curl */
    char error[SL_TRANSPORT_TEXT_MAX];
};

/* ---- calls, live and idle ---- */

static sl_http_call *take_call(sl_http_client *client)
{
    sl_http_call *call = client->idle;
    if (call) {
        client->idle = call->next;
        client->idle_count--;
    } else {
        call = sl_calloc(1, sizeof *call);
        call->client = client;
        call->easy = curl_easy_init();
        if (!call->easy) sl_out_of_memory(sizeof *call);
    }
    call->prev = NULL;
    call->next = client->live;
    if (client->live) client->live->prev = call;
    client->live = call;
    return call;
}

static void free_call(sl_http_call *call)
{
    curl_easy_cleanup(call->easy);
    sl_buf_release(&call->url);
    sl_buf_release(&call->answer);
    sl_free(call);
}

static void unlink_call(sl_http_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->client->live = call->next;
    if (call->next) call->next->prev = call->prev;
}

/* The transfer is out of curl's hands; the call becomes idle or ends. */
static void put_call(sl_http_call *call)
{
    sl_http_client *client = call->client;
    unlink_call(call);
    call->endpoint->in_flight--;
    if (!call->answered) call->endpoint->probing = false;
    curl_easy_reset(call->easy); /* forgets the body and the headers, which are not its own */
    curl_slist_free_all(call->connect_to);
    call->connect_to = NULL;
    sl_http_headers_take_off(call->headers, call->own_headers);
    call->headers = NULL;
    sl_buf_clear(&call->url);
    sl_buf_clear(&call->answer);
    if (call->answer.cap > KEEP_ANSWER_BYTES) sl_buf_release(&call->answer);
    if (client->idle_count == MAX_IDLE_CALLS) {
        free_call(call);
        return;
    }
    call->next = client->idle;
    client->idle = call;
    client->idle_count++;
}

/* ---- what came back ---- */

static size_t on_body(char *ptr, size_t size, size_t count, void *arg)
{
    sl_http_call *call = arg;
    size_t len = size * count;
    if (len > call->client->conf->max_answer - call->answer.len ||
        sl_buf_try_reserve(&call->answer, len) < 0) {
        call->too_long = true;
        return 0;
    }
    sl_buf_append(&call->answer, ptr, len);
    return len;
}

static int64_t retry_after_ns(CURL *easy)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0) return 0;
    return seconds > SL_MAX_RETRY_AFTER_NS / SL_NS_PER_S ? SL_MAX_RETRY_AFTER_NS : seconds * SL_NS_PER_S;
}

static int64_t date_ns(CURL *easy)
{
    struct curl_header *date = NULL;
    if (curl_easy_header(easy, "Date", 0, CURLH_HEADER, -1, &date) != CURLHE_OK) return 0;
    time_t seconds = curl_getdate(date->value, NULL);
    return seconds > 0 && seconds < INT64_MAX / SL_NS_PER_S ? (int64_t)seconds * SL_NS_PER_S : 0;
}

/* A server that refuses a body may close before it has read all of it. Then curl fails to send, but the
 * status it got says more than the broken connection does. */
static bool was_refused(sl_transport_error transport, long status)
{
    return transport == SL_TRANSPORT_BROKEN && status >= 400;
}

static void fill_answer(sl_http_call *call, CURLcode result, sl_answer *answer)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    answer->transport = sl_transport_error_of(call->easy, result);
    answer->url = sl_span_of(call->endpoint->shown);
    answer->duration_ns = sl_clock_mono_ns() - call->started_ns;
    answer->retry_after_ns = retry_after_ns(call->easy);
    if (answer->transport == SL_TRANSPORT_OK || (!call->too_long && was_refused(answer->transport, status))) {
        answer->transport = SL_TRANSPORT_OK;
        answer->status = (int)status;
        answer->date_ns = date_ns(call->easy);
        answer->body = sl_buf_span(&call->answer);
    } else if (call->too_long) {
        answer->error = "the answer is longer than max_answer, or memory is out";
    } else {
        sl_transport_error_text(call->easy, result, call->said, call->error);
        answer->error = call->error;
    }
}

static void on_done(void *arg, CURL *easy, CURLcode result)
{
    (void)arg;
    sl_http_call *call = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
    sl_answer answer = {0};
    fill_answer(call, result, &answer);
    sl_endpoint_judge(call->endpoint, &answer, sl_clock_mono_ns());
    if (call->answered) call->answered(call->arg, &answer);
    put_call(call);
}

/* ---- sending ---- */

static void set_text(CURL *easy, CURLoption option, sl_span text)
{
    if (!text.len) return;
    char *copy = sl_strndup(text.ptr, text.len);
    curl_easy_setopt(easy, option, copy); /* curl copies it */
    sl_wipe(copy, text.len);
    sl_free(copy);
}

static void set_tls(CURL *easy, const sl_tls_conf *tls)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
    /* Files may be replaced: neither authorities nor the sessions they vouched for are kept. */
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    set_text(easy, CURLOPT_CAINFO, tls->ca);
    if (tls->ca.len) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's are trusted beside */
    set_text(easy, CURLOPT_SSLCERT, tls->cert);
    set_text(easy, CURLOPT_SSLKEY, tls->key);
    set_text(easy, CURLOPT_KEYPASSWD, tls->key_password);
    set_text(easy, CURLOPT_PINNEDPUBLICKEY, tls->pinned_key);
}

static void set_connection(CURL *easy, const sl_http_conf *conf)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the environment is not asked */
    set_text(easy, CURLOPT_PROXY, conf->proxy);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(conf->timeout_ns / SL_NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(conf->connect_timeout_ns / SL_NS_PER_MS));
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)SL_HTTP_MAX_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)SL_HTTP_MAX_CONNECTION_AGE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
}

static void set_method(CURL *easy, const char *method, sl_span body)
{
    if (body.len || strcmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.len ? body.ptr : "");
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_transfer(sl_http_call *call, const sl_http_send *send)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_URL, sl_buf_cstr(&call->url));
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING,
                     "identity"); /* but who compresses all the same is understood */
    call->own_headers = send->header_count;
    call->headers = sl_http_headers_put_on(
        sl_http_headers_get(&call->client->headers, send->content_type, send->content_encoding),
        send->headers, send->header_count);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    if (call->endpoint->connect_to) {
        call->connect_to = curl_slist_append(NULL, call->endpoint->connect_to);
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    call->said[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->said);
    set_method(easy, send->method, send->body);
}

static sl_http_call *start_call(sl_http_client *client, sl_endpoint *endpoint, const sl_http_send *send)
{
    sl_http_call *call = take_call(client);
    call->endpoint = endpoint;
    endpoint->in_flight++;
    call->answered = send->answered;
    call->arg = send->arg;
    call->too_long = false;
    call->started_ns = sl_clock_mono_ns();
    sl_buf_append_cstr(&call->url, endpoint->base);
    sl_buf_append_span(&call->url, send->path);
    set_connection(call->easy, client->conf);
    set_tls(call->easy, &client->conf->tls);
    set_transfer(call, send);
    sl_curl_loop_add(client->curl, call->easy);
    return call;
}

sl_http_call *sl_http_client_send(sl_http_client *client, const sl_http_send *send)
{
    sl_assert_on(client->loop);
    sl_assert(send->answered);
    int64_t now = sl_clock_mono_ns();
    sl_endpoint *due = sl_endpoints_due(&client->endpoints, now);
    if (due) start_call(client, due, &(sl_http_send){.method = "GET", .path = SL_SPAN("/")});
    return start_call(client, sl_endpoints_choose(&client->endpoints, now), send);
}

void sl_http_call_cancel(sl_http_call *call)
{
    sl_curl_loop_remove(call->client->curl, call->easy);
    put_call(call);
}

void sl_http_client_trust(sl_http_client *client, const sl_answer *answer, bool useful)
{
    sl_assert_on(client->loop);
    sl_endpoints_trust(&client->endpoints, answer->url, useful, sl_clock_mono_ns());
}

size_t sl_http_client_trusted(const sl_http_client *client)
{
    return sl_endpoints_trusted(&client->endpoints, sl_clock_mono_ns());
}

size_t sl_http_client_healthy(const sl_http_client *client)
{
    return sl_endpoints_healthy(&client->endpoints);
}

sl_http_client *sl_http_client_new(sl_loop *loop, const sl_http_conf *conf)
{
    sl_assert_on(loop);
    sl_http_client *client = sl_calloc(1, sizeof *client);
    client->loop = loop;
    client->conf = conf;
    client->curl = sl_curl_loop_new(loop, MAX_KEPT_CONNECTIONS, on_done, client);
    sl_endpoints_init(&client->endpoints, conf);
    sl_http_headers_init(&client->headers, conf);
    return client;
}

void sl_http_client_free(sl_http_client *client)
{
    if (!client) return;
    sl_assert_on(client->loop);
    while (client->live)
        sl_http_call_cancel(client->live);
    while (client->idle) {
        sl_http_call *call = client->idle;
        client->idle = call->next;
        free_call(call);
    }
    sl_curl_loop_free(client->curl);
    sl_endpoints_release(&client->endpoints);
    sl_http_headers_release(&client->headers);
    sl_free(client);
}
