/* loop.h: event loops, timers, file watches, and the mailbox between threads.
 *
 * A loop is one thread. Every mutable object belongs to one loop; sl_assert_on(loop) opens each entry point
 * that must run there. The only way across is sl_loop_post(): a message that is run on the other loop, in
 * order.
 */
#ifndef SLUICE_LOOP_H
#define SLUICE_LOOP_H

#include <sluice/base.h>
#include <sys/inotify.h>

typedef struct sl_loop sl_loop;

/* Creates a loop with its own thread, which runs until sl_loop_free(). name: at most 15 bytes, shown by `top
 * -H`. */
sl_loop *sl_loop_new(const char *name);
/* Tells the loop to end after what was posted before, waits for its thread, frees it. Every timer and watch
 * on it must be freed. */
void sl_loop_free(sl_loop *loop);
/* The loop of the main thread: created, run until sl_loop_stop(), freed there. */
sl_loop *sl_loop_main_new(void);
void sl_loop_run(sl_loop *loop);
void sl_loop_stop(sl_loop *loop); /* any thread */
bool sl_loop_is_current(const sl_loop *loop);
const char *sl_loop_name(const sl_loop *loop);
#define sl_assert_on(loop) sl_assert(sl_loop_is_current(loop))

/* A message: embed it in what travels. Posting neither allocates nor fails. The message must stay alive until
 * run() has been called, and must not be posted again before. Any thread. Messages to one loop from one
 * thread run in the order posted. */
typedef struct sl_message {
    struct sl_message *next;
    void (*run)(struct sl_message *msg);
} sl_message;
void sl_loop_post(sl_loop *loop, sl_message *msg);
/* Convenience: allocates a message, runs fn(arg) on the loop. */
void sl_loop_call(sl_loop *loop, void (*fn)(void *arg), void *arg);
/* Runs fn(arg) on the loop and waits for it. Not from a loop's own thread. */
void sl_loop_call_wait(sl_loop *loop, void (*fn)(void *arg), void *arg);

/* A timer on a loop. All calls on that loop. */
typedef struct sl_timer sl_timer;
sl_timer *sl_timer_new(sl_loop *loop, void (*fn)(void *arg), void *arg);
void sl_timer_start(sl_timer *timer, int64_t delay_ns,
                    int64_t repeat_ns); /* repeat 0: once. Starting again moves it */
void sl_timer_stop(sl_timer *timer);
bool sl_timer_is_active(const sl_timer *timer);
void sl_timer_free(sl_timer *timer); /* NULL is fine */

/* Something to run once at the end of this turn of the loop, or on the next one. Embed, post with
 * sl_loop_defer; on the loop only. */
#define sl_loop_defer(loop, msg) sl_loop_post((loop), (msg))

/* Readiness of a descriptor (a pipe, standard input, an inotify descriptor). Regular files are always ready
 * and not allowed. */
enum { SL_READABLE = 1, SL_WRITABLE = 2 };
typedef struct sl_poll sl_poll;
sl_poll *sl_poll_new(sl_loop *loop, int fd, void (*fn)(void *arg, int events),
                     void *arg); /* NULL: fd cannot be polled */
void sl_poll_start(sl_poll *poll, int events);
void sl_poll_stop(sl_poll *poll);
void sl_poll_free(sl_poll *poll); /* the descriptor stays open */

/* Changes in the file system, as inotify(7) tells them: one object watches many folders and files. */
typedef struct sl_watch sl_watch;
typedef struct sl_watch_event {
    int id;           /* of sl_watch_add(), or -1: events were lost (IN_Q_OVERFLOW) */
    uint32_t mask;    /* IN_* */
    uint32_t cookie;  /* the two halves of a rename have the same */
    const char *name; /* entry of a watched folder, or "" */
} sl_watch_event;

#define SL_WATCH_MAX_EVENTS 512 /* told in one call */
/* fn gets the events in order, valid during the call; count 0 says that a burst of them has ended: the time
 * to act. NULL: SL_E_LIMIT (too many inotify objects). */
sl_watch *sl_watch_new(sl_loop *loop, void (*fn)(void *arg, const sl_watch_event *events, size_t count),
                       void *arg, sl_err *err);
/* Bursts are told between start and stop; what happens later waits in the kernel, which joins equal events.
 */
void sl_watch_start(sl_watch *watch);
void sl_watch_stop(sl_watch *watch);
/* Tells at once what has happened up to now, started or not, without a call for the end. Not from within a
 * call with events. */
void sl_watch_read(sl_watch *watch);
/* Returns the id of what path leads to (the same thing always has the same id), or -ENOSPC (fs.inotify.
 * max_user_watches is reached) or another negative errno. */
int sl_watch_add(sl_watch *watch, const char *path, uint32_t mask);
void sl_watch_remove(sl_watch *watch, int id);
void sl_watch_free(sl_watch *watch); /* NULL is fine */

#endif
