/* http_fixture.c: blocking sockets and threads: slow, plain, and no code in common with what it tests. */
#include "http_fixture.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define MAX_HEAD        (64u * 1024)

typedef struct connection {
    sl_test_server *server;
    pthread_t thread;
    int fd;
    unsigned number;
} connection;

struct sl_test_server {
    int fd;
    int stop[2];
    pthread_t thread;
    pthread_mutex_t lock; /* handlers, connections */
    void (*handle)(void *arg, const sl_test_request *req, sl_test_answer *answer);
    void *arg;
    connection *connections[MAX_CONNECTIONS];
    unsigned count;
    bool stopping;
    char url[64];
};

/* ---- one request ---- */

/* Reads until at least `need` bytes are there. False: the client went. */
static bool fill(connection *conn, sl_buf *in, size_t need)
{
    while (in->len < need) {
        sl_buf_reserve(in, 65536);
        ssize_t got = recv(conn->fd, in->ptr + in->len, 65536, 0);
        if (got <= 0) return false;
        in->len += (size_t)got;
    }
    return true;
}

static size_t head_length(const sl_buf *in)
{
    const char *end = in->len ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - in->ptr) + 4 : 0;
}

sl_span sl_test_header(const sl_test_request *req, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = strstr(req->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) != 0 || line[len] != ':') continue;
        const char *value = line + len + 1;
        return sl_span_trim((sl_span){value, strcspn(value, "\r")});
    }
    return SL_SPAN_NONE;
}

static void send_all(int fd, const void *ptr, size_t len)
{
    const char *at = ptr;
    while (len) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += sent;
        len -= (size_t)sent;
    }
}

static void send_answer(connection *conn, const sl_test_answer *answer, bool head_only)
{
    char head[512];
    int len = snprintf(head, sizeof head, "HTTP/1.1 %d Text\r\nContent-Length: %zu\r\n%s\r\n", answer->status,
                       answer->body.len, answer->headers ? answer->headers : "");
    send_all(conn->fd, head, (size_t)len);
    size_t body = answer->action == SL_TEST_CUT ? answer->body.len / 2 : answer->body.len;
    if (!head_only) send_all(conn->fd, answer->body.ptr, body);
}

static void hang(connection *conn)
{
    char byte;
    while (recv(conn->fd, &byte, 1, 0) > 0)
        ;
}

/* False: the connection ends. */
static bool answer_request(connection *conn, const sl_test_request *req)
{
    sl_test_answer answer = {.status = 200};
    pthread_mutex_lock(&conn->server->lock);
    conn->server->handle(conn->server->arg, req, &answer);
    pthread_mutex_unlock(&conn->server->lock);
    if (answer.delay_ms) usleep((useconds_t)answer.delay_ms * 1000);
    if (answer.action == SL_TEST_ANSWER || answer.action == SL_TEST_CUT)
        send_answer(conn, &answer, strcmp(req->method, "HEAD") == 0);
    if (answer.action == SL_TEST_GARBAGE) send_all(conn->fd, "\x01\x02 no http\r\n\r\n", 14);
    if (answer.action == SL_TEST_HANG) hang(conn);
    sl_buf_release(&answer.body);
    return answer.action == SL_TEST_ANSWER;
}

static bool serve_request(connection *conn, sl_buf *in)
{
    size_t head = 0;
    while (!(head = head_length(in))) {
        if (in->len > MAX_HEAD || !fill(conn, in, in->len + 1)) return false;
    }
    sl_test_request req = {.connection = conn->number, .head = sl_strndup(in->ptr, head)};
    bool go_on = sscanf(req.head, "%15s %2047s", req.method, req.path) == 2;
    sl_span length = sl_test_header(&req, "Content-Length");
    size_t body = length.len ? (size_t)strtoull(length.ptr, NULL, 10) : 0;
    go_on = go_on && fill(conn, in, head + body);
    if (go_on) {
        req.body = (sl_span){in->ptr + head, body};
        go_on = answer_request(conn, &req);
        memmove(in->ptr, in->ptr + head + body, in->len - head - body);
        in->len -= head + body;
    }
    sl_free(req.head);
    return go_on;
}

/* ---- connections ---- */

static void *serve(void *arg)
{
    connection *conn = arg;
    sl_buf in = SL_BUF_NONE;
    while (serve_request(conn, &in))
        ;
    sl_buf_release(&in);
    shutdown(conn->fd, SHUT_RDWR);
    return NULL;
}

static void take_connection(sl_test_server *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    if (server->stopping || server->count == MAX_CONNECTIONS) {
        close(fd);
    } else {
        connection *conn = sl_calloc(1, sizeof *conn);
        *conn = (connection){.server = server, .fd = fd, .number = server->count};
        server->connections[server->count++] = conn;
        if (pthread_create(&conn->thread, NULL, serve, conn) != 0) abort();
    }
    pthread_mutex_unlock(&server->lock);
}

static void *accept_all(void *arg)
{
    sl_test_server *server = arg;
    for (;;) {
        struct pollfd fds[2] = {{.fd = server->fd, .events = POLLIN},
                                {.fd = server->stop[0], .events = POLLIN}};
        if (poll(fds, 2, -1) < 0) continue;
        if (fds[1].revents) return NULL;
        int fd = accept(server->fd, NULL, NULL);
        if (fd >= 0) take_connection(server, fd);
    }
}

sl_test_server *
sl_test_server_start(void (*handle)(void *arg, const sl_test_request *req, sl_test_answer *answer), void *arg)
{
    sl_test_server *server = sl_calloc(1, sizeof *server);
    server->handle = handle;
    server->arg = arg;
    pthread_mutex_init(&server->lock, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        listen(server->fd, 64) != 0 || getsockname(server->fd, (struct sockaddr *)&addr, &len) != 0 ||
        pipe(server->stop) != 0)
        abort();
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", ntohs(addr.sin_port));
    if (pthread_create(&server->thread, NULL, accept_all, server) != 0) abort();
    return server;
}

void sl_test_server_stop(sl_test_server *server)
{
    if (write(server->stop[1], "", 1) != 1) abort();
    pthread_join(server->thread, NULL);
    close(server->fd);
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    for (unsigned i = 0; i < server->count; i++)
        shutdown(server->connections[i]->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < server->count; i++) {
        pthread_join(server->connections[i]->thread, NULL);
        close(server->connections[i]->fd);
        sl_free(server->connections[i]);
    }
    close(server->stop[0]);
    close(server->stop[1]);
    sl_free(server);
}

const char *sl_test_server_url(const sl_test_server *server)
{
    return server->url;
}

unsigned sl_test_server_connections(sl_test_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->count;
    pthread_mutex_unlock(&server->lock);
    return count;
}
