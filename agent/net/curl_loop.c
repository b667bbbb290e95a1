/* curl_loop.c: libcurl asks for socket readiness and one time-out; the loop gives both; each event is told
 * back by curl_multi_socket_action() (https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket").
 *
 * curl tells that it is done with a socket before it closes it, so a watch never outlives its descriptor.
 */
#include "curl_loop.h"
#include <pthread.h>

struct sl_curl_loop {
    sl_loop *loop;
    CURLM *multi;
    sl_timer *timer;
    void (*done)(void *arg, CURL *easy, CURLcode result);
    void *arg;
};

typedef struct watch {
    sl_curl_loop *curl;
    sl_poll *poll;
    curl_socket_t fd;
} watch;

static void report_done(sl_curl_loop *curl)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(curl->multi, &left))) {
        if (msg->msg != CURLMSG_DONE) continue;
        CURL *easy = msg->easy_handle; /* msg dies with the removal */
        CURLcode result = msg->data.result;
        curl_multi_remove_handle(curl->multi, easy);
        curl->done(curl->arg, easy, result);
    }
}

static void act(sl_curl_loop *curl, curl_socket_t fd, int events)
{
    int running;
    CURLMcode rc = curl_multi_socket_action(curl->multi, fd, events, &running);
    if (rc != CURLM_OK) sl_bug("curl_multi_socket_action: %s", curl_multi_strerror(rc));
    report_done(curl);
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_ready(void *arg, int events)
{
    watch *w = arg;
    act(w->curl, w->fd,
        ((events & SL_READABLE) ? CURL_CSELECT_IN : 0) | ((events & SL_WRITABLE) ? CURL_CSELECT_OUT : 0));
}

static int on_timeout_wanted(CURLM *multi, long ms, void *arg)
{
    (void)multi;
    sl_curl_loop *curl = arg;
    if (ms < 0)
        sl_timer_stop(curl->timer);
    else
        sl_timer_start(curl->timer, ms * SL_NS_PER_MS, 0);
    return 0;
}

static void forget_socket(sl_curl_loop *curl, curl_socket_t fd, watch *w)
{
    if (!w) return;
    curl_multi_assign(curl->multi, fd, NULL);
    sl_poll_free(w->poll);
    sl_free(w);
}

static watch *watch_socket(sl_curl_loop *curl, curl_socket_t fd)
{
    watch *w = sl_calloc(1, sizeof *w);
    *w = (watch){curl, sl_poll_new(curl->loop, fd, on_ready, w), fd};
    if (!w->poll) sl_bug("a socket that cannot be polled");
    curl_multi_assign(curl->multi, fd, w);
    return w;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    (void)easy;
    sl_curl_loop *curl = arg;
    watch *w = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        forget_socket(curl, fd, w);
        return 0;
    }
    if (!w) w = watch_socket(curl, fd);
    sl_poll_start(w->poll,
                  ((what & CURL_POLL_IN) ? SL_READABLE : 0) | ((what & CURL_POLL_OUT) ? SL_WRITABLE : 0));
    return 0;
}

static void init_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) sl_bug("libcurl does not start");
}

sl_curl_loop *sl_curl_loop_new(sl_loop *loop, long max_kept,
                               void (*done)(void *arg, CURL *easy, CURLcode result), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    sl_curl_loop *curl = sl_calloc(1, sizeof *curl);
    *curl = (sl_curl_loop){.loop = loop, .multi = curl_multi_init(), .done = done, .arg = arg};
    if (!curl->multi) sl_bug("out of memory");
    curl->timer = sl_timer_new(loop, on_timer, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
    curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, max_kept);
    return curl;
}

void sl_curl_loop_free(sl_curl_loop *curl)
{
    if (!curl) return;
    sl_assert_on(curl->loop);
    curl_multi_cleanup(curl->multi);
    sl_timer_free(curl->timer);
    sl_free(curl);
}

void sl_curl_loop_add(sl_curl_loop *curl, CURL *easy)
{
    sl_assert_on(curl->loop);
    CURLMcode rc = curl_multi_add_handle(curl->multi, easy);
    if (rc != CURLM_OK) sl_bug("curl_multi_add_handle: %s", curl_multi_strerror(rc));
}

void sl_curl_loop_remove(sl_curl_loop *curl, CURL *easy)
{
    sl_assert_on(curl->loop);
    curl_multi_remove_handle(curl->multi, easy);
}
