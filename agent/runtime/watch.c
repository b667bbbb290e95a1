/* watch.c: inotify on a loop. Reads whole bursts of events, hands them over in order, and says when a burst
 * ends. */
#include <errno.h>
#include <sluice/loop.h>
#include <unistd.h>

#define READ_BYTES (32u * 1024)
#define MAX_READS  64 /* a turn: then other work of the loop has its chance */

struct sl_watch {
    sl_poll *poll;
    int fd;
    int telling; /* calls of fn are under way */
    bool freed;  /* by fn, during the call */
    void (*fn)(void *arg, const sl_watch_event *events, size_t count);
    void *arg;
    _Alignas(struct inotify_event) char raw[READ_BYTES];
    sl_watch_event events[SL_WATCH_MAX_EVENTS];
};

static void tell(sl_watch *watch, size_t count)
{
    if (!watch->freed) watch->fn(watch->arg, watch->events, count);
}

static void tell_all(sl_watch *watch, size_t len)
{
    size_t count = 0;
    for (size_t at = 0; at < len;) {
        const struct inotify_event *raw = (const struct inotify_event *)(watch->raw + at);
        at += sizeof *raw + raw->len;
        watch->events[count++] = (sl_watch_event){
            .id = raw->wd, .mask = raw->mask, .cookie = raw->cookie, .name = raw->len ? raw->name : ""};
        if (count == SL_WATCH_MAX_EVENTS || at >= len) {
            tell(watch, count);
            count = 0;
        }
    }
}

void sl_watch_read(sl_watch *watch)
{
    watch->telling++;
    for (int i = 0; i < MAX_READS && !watch->freed; i++) {
        ssize_t n = read(watch->fd, watch->raw, sizeof watch->raw);
        if (n <= 0) break; /* EAGAIN: all read; EINTR: readable again at once */
        tell_all(watch, (size_t)n);
    }
    if (--watch->telling == 0 && watch->freed) sl_free(watch);
}

static void on_readable(void *arg, int events)
{
    (void)events;
    sl_watch *watch = arg;
    watch->telling++;
    sl_watch_read(watch);
    tell(watch, 0);
    if (--watch->telling == 0 && watch->freed) sl_free(watch);
}

sl_watch *sl_watch_new(sl_loop *loop, void (*fn)(void *arg, const sl_watch_event *events, size_t count),
                       void *arg, sl_err *err)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        sl_err_sys(err, errno, "files cannot be watched (fs.inotify.max_user_instances may be too small)");
        if (err) err->code = SL_E_LIMIT;
        return NULL;
    }
    sl_watch *watch = sl_calloc(1, sizeof *watch);
    watch->fd = fd;
    watch->fn = fn;
    watch->arg = arg;
    watch->poll = sl_poll_new(loop, fd, on_readable, watch);
    if (!watch->poll) sl_bug("an inotify descriptor cannot be polled");
    return watch;
}

void sl_watch_start(sl_watch *watch)
{
    sl_poll_start(watch->poll, SL_READABLE);
}
void sl_watch_stop(sl_watch *watch)
{
    sl_poll_stop(watch->poll);
}

int sl_watch_add(sl_watch *watch, const char *path, uint32_t mask)
{
    int id = inotify_add_watch(watch->fd, path, mask);
    return id < 0 ? -errno : id;
}

void sl_watch_remove(sl_watch *watch, int id)
{
    inotify_rm_watch(watch->fd, id); /* fails when the thing is gone already: the same result */
}

void sl_watch_free(sl_watch *watch)
{
    if (!watch) return;
    sl_poll_free(watch->poll);
    close(watch->fd);
    if (watch->telling)
        watch->freed = true;
    else
        sl_free(watch);
}
