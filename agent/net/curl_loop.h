/* curl_loop.h: libcurl's transfers run by an sl_loop: a multi handle whose sockets and time-outs are the
 * loop's.
 *
 * Everything on that loop's thread. Costs nothing while no transfer is under way: no timer runs, no
 * descriptor is watched; kept-alive connections just stand.
 */
#ifndef SLUICE_CURL_LOOP_H
#define SLUICE_CURL_LOOP_H

#include <curl/curl.h>
#include <sluice/loop.h>

typedef struct sl_curl_loop sl_curl_loop;

/* max_kept: connections kept open for the next transfer. */
sl_curl_loop *sl_curl_loop_new(sl_loop *loop, long max_kept,
                               void (*done)(void *arg, CURL *easy, CURLcode result), void *arg);
/* Every transfer must have been removed or done before. */
void sl_curl_loop_free(sl_curl_loop *curl); /* NULL is fine */
/* Starts the transfer; done() is called later, never from within, with the handle already taken out. The
 * handle stays the caller's. */
void sl_curl_loop_add(sl_curl_loop *curl, CURL *easy);
/* Gives a transfer up: done() is not called for it. Not from within curl's own callbacks. */
void sl_curl_loop_remove(sl_curl_loop *curl, CURL *easy);

#endif
