/* http_fixture.h: a small HTTP/1.1 server inside a test: a handler decides what each request gets.
 *
 * One thread a connection; handlers are called one at a time (a lock), on those threads. Listens on
 * 127.0.0.1.
 */
#ifndef SLUICE_HTTP_FIXTURE_H
#define SLUICE_HTTP_FIXTURE_H

#include <sluice/base.h>

typedef struct sl_test_request {
    char method[16];
    char path[2048];
    char *head; /* the header lines as they came, NUL-terminated */
    sl_span body;
    unsigned connection; /* from 0, in the order accepted */
} sl_test_request;

typedef enum sl_test_action {
    SL_TEST_ANSWER,
    SL_TEST_CLOSE, /* close without a word */
    SL_TEST_CUT,   /* send the head and half of the body, then close */
    SL_TEST_HANG,  /* say nothing until the client goes or the server stops */
    SL_TEST_GARBAGE
} sl_test_action;

typedef struct sl_test_answer {
    int status;          /* 200 */
    const char *headers; /* further lines, each ending in \r\n; NULL: none */
    sl_buf body;         /* released by the server */
    sl_test_action action;
    int delay_ms;
} sl_test_answer;

typedef struct sl_test_server sl_test_server;
sl_test_server *sl_test_server_start(void (*handle)(void *arg, const sl_test_request *req,
                                                    sl_test_answer *answer),
                                     void *arg);
/* Closes all connections, joins all threads. */
void sl_test_server_stop(sl_test_server *server);
const char *sl_test_server_url(const sl_test_server *server); /* "http://127.0.0.1:12345" */
unsigned sl_test_server_connections(sl_test_server *server);  /* accepted so far */
/* Value of a header in a request, or an empty span. */
sl_span sl_test_header(const sl_test_request *req, const char *name);

#endif
