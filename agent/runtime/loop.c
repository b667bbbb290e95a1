/* loop.c: a loop is a thread with a libuv loop and a mailbox.
 *
 * The mailbox is the one crossing between threads. Senders push onto a lock-free stack and wake the loop once
 * per burst; the loop takes the whole stack and runs it oldest first, so messages of one sender keep their
 * order. Invariant: a message is in at most one mailbox, once.
 *
 * A loop is woken by an eventfd(2) of its own. uv_async_send() would do as well, but it lets the woken thread
 * spin until the waking one has returned from it, which on a shared processor is a time slice.
 */
#include "loop_int.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sl_loop {
    uv_loop_t uv;
    uv_poll_t wake; /* of wake_fd */
    int wake_fd;
    uv_thread_t thread;
    sl_message *inbox; /* newest first; touched by atomics only */
    bool owns_thread;
    bool stopping; /* on the loop only */
    char name[16];
};

static __thread sl_loop *current;

static sl_message *take_oldest_first(sl_loop *loop)
{
    sl_message *newest = __atomic_exchange_n(&loop->inbox, NULL, __ATOMIC_ACQUIRE);
    sl_message *oldest = NULL;
    while (newest) {
        sl_message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void wake(const sl_loop *loop)
{
    if (eventfd_write(loop->wake_fd, 1) != 0)
        sl_bug("loop %s cannot be woken: %s", loop->name, strerror(errno));
}

static void on_wake(uv_poll_t *handle, int status, int events)
{
    sl_loop *loop = handle->data;
    eventfd_t count;
    (void)events;
    if (status < 0) sl_bug("loop %s: %s", loop->name, uv_strerror(status));
    /* Before the box is emptied: who finds it empty afterwards wakes again. */
    (void)eventfd_read(loop->wake_fd, &count);
    sl_message *msg = take_oldest_first(loop);
    while (msg) {
        sl_message *next = msg->next;
        msg->run(msg);
        msg = next;
    }
    if (loop->stopping) uv_stop(&loop->uv);
}

void sl_loop_post(sl_loop *loop, sl_message *msg)
{
    sl_message *head = __atomic_load_n(&loop->inbox, __ATOMIC_RELAXED);
    do {
        msg->next = head;
    } while (
        !__atomic_compare_exchange_n(&loop->inbox, &head, msg, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    /* Who puts the first message into an empty box wakes the loop; the others ride along. */
    if (!head) wake(loop);
}

static void init_loop(sl_loop *loop, const char *name)
{
    snprintf(loop->name, sizeof loop->name, "%s", name);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->wake.data = loop;
    if (loop->wake_fd < 0 || uv_loop_init(&loop->uv) != 0 ||
        uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd) != 0 ||
        uv_poll_start(&loop->wake, UV_READABLE, on_wake) != 0)
        sl_bug("cannot make an event loop: are there too few file descriptors?");
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* What is left at the end is only the wake handle and handles whose close is under way. */
static void release_loop(sl_loop *loop)
{
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv) != 0) sl_bug("loop %s ended with open handles", loop->name);
    close(loop->wake_fd);
}

static void thread_main(void *arg)
{
    sl_loop *loop = arg;
    current = loop;
    pthread_setname_np(pthread_self(), loop->name);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    release_loop(loop);
}

/* Signals are the main loop's: other threads are born with all of them blocked. */
sl_loop *sl_loop_new(const char *name)
{
    sl_loop *loop = sl_calloc(1, sizeof *loop);
    init_loop(loop, name);
    loop->owns_thread = true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = uv_thread_create(&loop->thread, thread_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) sl_bug("cannot start a thread: %s", uv_strerror(rc));
    return loop;
}

sl_loop *sl_loop_main_new(void)
{
    sl_loop *loop = sl_calloc(1, sizeof *loop);
    init_loop(loop, "main");
    current = loop;
    return loop;
}

void sl_loop_run(sl_loop *loop)
{
    sl_assert_on(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void mark_stopping(void *arg)
{
    sl_loop *loop = arg;
    loop->stopping = true;
}

void sl_loop_stop(sl_loop *loop)
{
    sl_loop_call(loop, mark_stopping, loop);
}

void sl_loop_free(sl_loop *loop)
{
    if (!loop) return;
    if (loop->owns_thread) {
        sl_loop_stop(loop);
        uv_thread_join(&loop->thread);
    } else {
        release_loop(loop);
        current = NULL;
    }
    sl_free(loop);
}

bool sl_loop_is_current(const sl_loop *loop)
{
    return current == loop;
}
const char *sl_loop_name(const sl_loop *loop)
{
    return loop->name;
}

uv_loop_t *sl_loop__uv(sl_loop *loop)
{
    sl_assert_on(loop);
    return &loop->uv;
}

/* ---- calls across ---- */

typedef struct call {
    sl_message msg;
    void (*fn)(void *arg);
    void *arg;
    uv_sem_t *done; /* NULL: nobody waits, the call is freed after it ran */
} call;

static void run_call(sl_message *msg)
{
    call *c = sl_container_of(msg, call, msg);
    uv_sem_t *done = c->done;
    c->fn(c->arg);
    if (done)
        uv_sem_post(done);
    else
        sl_free(c);
}

void sl_loop_call(sl_loop *loop, void (*fn)(void *arg), void *arg)
{
    call *c = sl_calloc(1, sizeof *c);
    *c = (call){.msg.run = run_call, .fn = fn, .arg = arg};
    sl_loop_post(loop, &c->msg);
}

void sl_loop_call_wait(sl_loop *loop, void (*fn)(void *arg), void *arg)
{
    if (sl_loop_is_current(loop)) sl_bug("loop %s would wait for itself", loop->name);
    uv_sem_t done;
    uv_sem_init(&done, 0);
    call c = {.msg.run = run_call, .fn = fn, .arg = arg, .done = &done};
    sl_loop_post(loop, &c.msg);
    uv_sem_wait(&done);
    uv_sem_destroy(&done);
}
