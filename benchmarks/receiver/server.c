/* The epoll loop and what happens on a connection. Level-triggered; a connection with an unsent answer is not
 * read from until the answer has gone, so a client that does not read its answers holds one answer's memory
 * and no more. */
#include "server.h"

#include "filter_path.h"
#include "gzip_body.h"
#include "http_request.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_ROOM  (256u << 10) /* bytes of room for a read when the length to come is not known */
#define MAX_EVENTS 64

typedef struct connection {
    struct connection *next, *prev; /* all of the server's */
    int fd;
    bool has_head, closing, writing; /* writing: waits to send the rest of `out` */
    http_request request;
    http_chunks chunks;
    byte_pile in, out;
    size_t sent;    /* of `out` */
    byte_pile body; /* of a chunked request */
} connection;

struct server {
    const bulk_rules *rules;
    int epoll, listener, signals;
    connection *connections;
    gzip_body *gzip;
};

static const char version_json[] =
    "{\"name\":\"sluice-receiver\",\"cluster_name\":\"bench\",\"cluster_uuid\":\"AAAAAAAAAAAAAAAAAAAAAA\","
    "\"version\":{"
    "\"number\":\"8.17.0\",\"build_flavor\":\"default\",\"build_type\":\"tar\",\"build_hash\":\"0000000\","
    "\"build_date\":\"2024-12-11T12:08:05.663969764Z\",\"build_snapshot\":false,\"lucene_version\":\"9.12."
    "0\","
    "\"minimum_wire_compatibility_version\":\"7.17.0\",\"minimum_index_compatibility_version\":\"7.0.0\"},"
    "\"tagline\":\"You Know, for Search\"}";

static void watch(server *srv, int op, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(srv->epoll, op, fd, &event)) bench_die("watching a descriptor failed");
}

static void connection_new(server *srv, int fd)
{
    connection *conn = bench_alloc(sizeof(*conn));
    *conn = (connection){.fd = fd, .next = srv->connections};
    if (srv->connections) srv->connections->prev = conn;
    srv->connections = conn;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    watch(srv, EPOLL_CTL_ADD, fd, EPOLLIN, conn);
}

static void connection_free(server *srv, connection *conn)
{
    if (conn->next) conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        srv->connections = conn->next;
    close(conn->fd);
    pile_release(&conn->in);
    pile_release(&conn->out);
    pile_release(&conn->body);
    free(conn);
}

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 413: return "Payload Too Large";
    case 415: return "Unsupported Media Type";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    default: return "Bad Request";
    }
}

/* Puts the head of an answer in front of a body of `len` bytes that is to follow. */
static void put_head(connection *conn, int status, size_t len)
{
    char head[256];
    int made =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nX-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\n"
                 "content-length: %zu\r\n%s\r\n",
                 status, reason(status), len, conn->closing ? "connection: close\r\n" : "");
    pile_put(&conn->out, head, (size_t)made);
}

static void answer(connection *conn, int status, const char *body, size_t len)
{
    put_head(conn, status, len);
    if (conn->request.method != HTTP_HEAD) pile_put(&conn->out, body, len);
}

static void refuse(server *srv, connection *conn, int status, const char *why)
{
    char body[256];
    int len = snprintf(
        body, sizeof(body),
        "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"%s\"},\"status\":%d}", why, status);
    srv->rules->counts->refused++;
    answer(conn, status, body, (size_t)len);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void receive_bulk(server *srv, connection *conn, const char *body, size_t len)
{
    const http_request *request = &conn->request;
    unsigned parts = filter_path_parts(conn->in.data + request->query, request->query_len);
    srv->rules->counts->wire_bytes += len;
    if (request->gzip && !gzip_body_inflate(srv->gzip, body, len, &body, &len)) {
        refuse(srv, conn, 400, "the body is not gzip, or too large unpacked");
        return;
    }
    byte_pile made = {0};
    int64_t now = now_ns();
    int status = bulk_body_receive(srv->rules, body, len, parts, now, &made);
    if (status == 200) {
        srv->rules->counts->last_ns = now;
        srv->rules->counts->requests++;
        answer(conn, 200, made.data, made.len);
    } else {
        refuse(srv, conn, status,
               "The bulk request must hold actions and documents and be terminated by a newline");
    }
    pile_release(&made);
}

static bool path_is(const connection *conn, const char *path)
{
    return conn->request.path_len == strlen(path) &&
           memcmp(conn->in.data + conn->request.path, path, conn->request.path_len) == 0;
}

static bool is_bulk(const connection *conn)
{
    static const char ending[] = "/_bulk";
    const http_request *request = &conn->request;
    return (request->method == HTTP_POST || request->method == HTTP_PUT) &&
           request->path_len >= sizeof(ending) - 1 &&
           memcmp(conn->in.data + request->path + request->path_len - (sizeof(ending) - 1), ending,
                  sizeof(ending) - 1) == 0;
}

static void handle(server *srv, connection *conn, const char *body, size_t len)
{
    static const char acknowledged[] = "{\"acknowledged\":true}";
    conn->closing = conn->request.close;
    if (is_bulk(conn)) {
        receive_bulk(srv, conn, body, len);
    } else if (path_is(conn, "/__stats")) {
        char stats[1024];
        answer(conn, 200, stats, tally_format(srv->rules->counts, stats, sizeof(stats)));
    } else if (path_is(conn, "/")) {
        answer(conn, 200, version_json, sizeof(version_json) - 1);
    } else {
        answer(conn, 200, acknowledged, sizeof(acknowledged) - 1);
    }
}

/* Takes a request's head off the input. Returns false when there is none yet, or none that can be served. */
static bool take_head(server *srv, connection *conn)
{
    if (conn->in.len == 0) return false;
    int status = http_request_parse(&conn->request, conn->in.data, conn->in.len);
    if (status == 1) return false;
    if (status != 0) {
        conn->request.method = HTTP_OTHER;
        conn->closing = true;
        refuse(srv, conn, status, "the request can't be read");
        return false;
    }
    conn->has_head = true;
    conn->chunks = (http_chunks){0};
    conn->body.len = 0;
    if (conn->request.expects_continue && conn->in.len == conn->request.head_len)
        PILE_LIT(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return true;
}

/* Moves what is there of a chunked body from the input, behind the head, to conn->body. Returns true when
 * whole. */
static bool take_chunks(server *srv, connection *conn)
{
    size_t used, written, head_len = conn->request.head_len;
    size_t len = conn->in.len - head_len;
    pile_reserve(&conn->body, len + 1);
    int done = http_chunks_decode(&conn->chunks, conn->in.data + head_len, len,
                                  conn->body.data + conn->body.len, conn->body.len, &used, &written);
    conn->body.len += written;
    memmove(conn->in.data + head_len, conn->in.data + head_len + used, len - used);
    conn->in.len -= used;
    if (done < 0) {
        conn->closing = true;
        refuse(srv, conn, 400, "the chunks can't be read");
    }
    return done == 1;
}

/* Serves the requests that are whole in the input, until one leaves an answer to be sent. */
static void serve(server *srv, connection *conn)
{
    while (conn->out.len == 0 && !conn->closing) {
        if (!conn->has_head && !take_head(srv, conn)) return;
        const http_request *request = &conn->request;
        if (request->chunked) {
            if (!take_chunks(srv, conn)) return;
            handle(srv, conn, conn->body.data, conn->body.len);
            pile_drop(&conn->in, request->head_len);
        } else {
            if (conn->in.len - request->head_len < request->body_len) return;
            handle(srv, conn, conn->in.data + request->head_len, request->body_len);
            pile_drop(&conn->in, request->head_len + request->body_len);
        }
        conn->has_head = false;
    }
}

/* Sends what waits in `out`. Returns false when the connection is to be closed. */
static bool flush(server *srv, connection *conn)
{
    while (conn->sent < conn->out.len) {
        ssize_t done = send(conn->fd, conn->out.data + conn->sent, conn->out.len - conn->sent, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno != EAGAIN) return false;
        if (done < 0) {
            if (!conn->writing) watch(srv, EPOLL_CTL_MOD, conn->fd, EPOLLOUT, conn);
            conn->writing = true;
            return true;
        }
        conn->sent += (size_t)done;
    }
    conn->sent = conn->out.len = 0;
    if (conn->writing) watch(srv, EPOLL_CTL_MOD, conn->fd, EPOLLIN, conn);
    conn->writing = false;
    return !conn->closing;
}

/* Reads once. Returns 1 with bytes, 0 when there are none now, -1 when the connection has ended. */
static int read_some(connection *conn)
{
    size_t room = READ_ROOM;
    if (conn->has_head && !conn->request.chunked)
        room = conn->request.head_len + conn->request.body_len - conn->in.len;
    pile_reserve(&conn->in, room);
    ssize_t got = recv(conn->fd, conn->in.data + conn->in.len, conn->in.room - conn->in.len, 0);
    if (got > 0) conn->in.len += (size_t)got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return got > 0 ? 1 : -1;
}

static void on_connection(server *srv, connection *conn)
{
    if (conn->writing && !flush(srv, conn)) {
        connection_free(srv, conn);
        return;
    }
    while (!conn->writing) {
        serve(srv, conn);
        if (conn->out.len) {
            if (!flush(srv, conn)) break;
            continue;
        }
        int got = read_some(conn);
        if (got == 0) return;
        if (got < 0) break;
    }
    if (!conn->writing) connection_free(srv, conn);
}

static void on_accept(server *srv)
{
    int fd = accept4(srv->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        connection_new(srv, fd);
    else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        bench_die("accepting a connection failed");
}

static int listen_on(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, (struct sockaddr *)&address, len) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &len))
        bench_die("listening on 127.0.0.1:%u failed", *port);
    *port = ntohs(address.sin_port);
    return fd;
}

server *server_new(const bulk_rules *rules, uint16_t *port)
{
    server *srv = bench_alloc(sizeof(*srv));
    *srv = (server){.rules = rules, .listener = listen_on(port), .gzip = gzip_body_new(SERVER_MAX_INFLATED)};
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    srv->signals = signalfd(-1, &stops, SFD_CLOEXEC);
    srv->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (srv->signals < 0 || srv->epoll < 0) bench_die("setting up the loop failed");
    watch(srv, EPOLL_CTL_ADD, srv->listener, EPOLLIN, &srv->listener);
    watch(srv, EPOLL_CTL_ADD, srv->signals, EPOLLIN, &srv->signals);
    return srv;
}

void server_run(server *srv)
{
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(srv->epoll, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) bench_die("waiting for events failed");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &srv->signals) return;
            if (events[i].data.ptr == &srv->listener)
                on_accept(srv);
            else
                on_connection(srv, events[i].data.ptr);
        }
    }
}

void server_free(server *srv)
{
    for (connection *conn = srv->connections, *next; conn; conn = next) {
        next = conn->next;
        connection_free(srv, conn);
    }
    gzip_body_free(srv->gzip);
    close(srv->listener);
    close(srv->signals);
    close(srv->epoll);
    free(srv);
}
