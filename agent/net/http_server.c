/* http_server.c: libmicrohttpd driven by our loop: its epoll descriptor is polled, its time-out is a timer.
 * Nothing here blocks. */
#include "http_server.h"
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

struct sl_http_server {
    sl_loop *loop;
    struct MHD_Daemon *daemon;
    sl_poll *poll;
    sl_timer *timer;
    sl_http_handler handler;
    void *arg;
    uint16_t port;
};

#define CONNECTION_TIMEOUT_S 30

static void arm_timer(sl_http_server *server)
{
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
        sl_timer_start(server->timer, (int64_t)ms * SL_NS_PER_MS, 0);
    else
        sl_timer_stop(server->timer);
}

static void run(sl_http_server *server)
{
    MHD_run(server->daemon);
    arm_timer(server);
}

static void on_ready(void *arg, int events)
{
    (void)events;
    run(arg);
}

static void on_timer(void *arg)
{
    run(arg);
}

static enum MHD_Result queue_reply(struct MHD_Connection *connection, sl_http_reply *reply)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.ptr, MHD_RESPMEM_MUST_COPY);
    sl_buf_release(&reply->body);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            reply->content_type ? reply->content_type : "text/plain; charset=utf-8");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result rc =
        MHD_queue_response(connection, (unsigned)(reply->status ? reply->status : MHD_HTTP_OK), response);
    MHD_destroy_response(response);
    return rc;
}

/* Called first with the head, then for each part of the body, then without any: the answer is made at the
 * end. Bodies are counted, not kept: no page of the agent reads one yet. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    static const char head_seen;
    sl_http_server *server = cls;
    if (!*state) {
        *state = (void *)(uintptr_t)&head_seen;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    sl_http_reply reply = {0};
    server->handler(server->arg, sl_span_of(method), sl_span_of(url), &reply);
    return queue_reply(connection, &reply);
}

static int resolve(const char *host, uint16_t port, struct sockaddr_storage *out, sl_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0)
        return sl_err_set(err, SL_E_NETWORK, "service.http: cannot resolve `%s`: %s", host, gai_strerror(rc));
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static int start_daemon(sl_http_server *server, const struct sockaddr_storage *address, const char *host,
                        uint16_t port, sl_err *err)
{
    unsigned flags = MHD_USE_EPOLL | (address->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    server->daemon = MHD_start_daemon(
        flags, port, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SL_HTTP_SERVER_MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (server->daemon) return 0;
    return sl_err_set(err, SL_E_NETWORK,
                      "service.http: cannot listen on %s:%u: is another agent running there? choose another "
                      "port, or `http: off`",
                      host, port);
}

sl_http_server *sl_http_server_new(sl_loop *loop, const char *host, uint16_t port, sl_http_handler handler,
                                   void *arg, sl_err *err)
{
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    if (resolve(host, port, &address, err) < 0) return NULL;
    sl_http_server *server = sl_calloc(1, sizeof *server);
    *server = (sl_http_server){.loop = loop, .handler = handler, .arg = arg};
    if (start_daemon(server, &address, host, port, err) < 0) {
        sl_free(server);
        return NULL;
    }
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    server->timer = sl_timer_new(loop, on_timer, server);
    server->poll = sl_poll_new(loop, MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                               on_ready, server);
    sl_assert(server->poll != NULL); /* an epoll descriptor can be polled */
    sl_poll_start(server->poll, SL_READABLE);
    return server;
}

uint16_t sl_http_server_port(const sl_http_server *server)
{
    return server->port;
}

void sl_http_server_free(sl_http_server *server)
{
    if (!server) return;
    sl_poll_stop(server->poll);
    sl_poll_free(server->poll);
    sl_timer_free(server->timer);
    MHD_stop_daemon(server->daemon);
    sl_free(server);
}
