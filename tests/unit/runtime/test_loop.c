#include "check_main.h"
#include <pthread.h>
#include <sluice/loop.h>

#define SENDERS  3
#define MESSAGES 20000

typedef struct note {
    sl_message msg;
    int sender, number;
} note;

static int last_number[SENDERS];
static int out_of_order, arrived;
static sl_loop *target;

static void on_note(sl_message *msg)
{
    note *n = sl_container_of(msg, note, msg);
    sl_assert_on(target);
    if (n->number != last_number[n->sender] + 1) out_of_order++;
    last_number[n->sender] = n->number;
    arrived++;
    sl_free(n);
}

static void *send_notes(void *arg)
{
    int sender = (int)(intptr_t)arg;
    for (int i = 1; i <= MESSAGES; i++) {
        note *n = sl_calloc(1, sizeof *n);
        *n = (note){.msg.run = on_note, .sender = sender, .number = i};
        sl_loop_post(target, &n->msg);
    }
    return NULL;
}

START_TEST(mailbox__keeps_the_order_of_each_sender_and_loses_nothing)
{
    target = sl_loop_new("target");
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++)
        pthread_create(&threads[i], NULL, send_notes, (void *)(intptr_t)i);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    sl_loop_free(target); /* runs what was posted before */
    ck_assert_int_eq(out_of_order, 0);
    ck_assert_int_eq(arrived, SENDERS * MESSAGES);
}
END_TEST

typedef struct clockwork {
    sl_loop *loop;
    sl_timer *timer;
    int ticks;
} clockwork;

static void on_tick(void *arg)
{
    clockwork *work = arg;
    if (++work->ticks == 3) {
        sl_timer_free(work->timer);
        sl_loop_stop(work->loop);
    }
}

START_TEST(timer__repeats_until_freed)
{
    clockwork work = {.loop = sl_loop_main_new()};
    work.timer = sl_timer_new(work.loop, on_tick, &work);
    int64_t before = sl_clock_mono_ns();
    sl_timer_start(work.timer, 2 * SL_NS_PER_MS, 2 * SL_NS_PER_MS);
    sl_loop_run(work.loop);
    ck_assert_int_eq(work.ticks, 3);
    ck_assert_int_ge(sl_clock_mono_ns() - before, 6 * SL_NS_PER_MS - SL_NS_PER_MS);
    sl_loop_free(work.loop);
}
END_TEST

static void on_restless(void *arg)
{
    clockwork *work = arg;
    work->ticks++;
    sl_timer_start(work->timer, 0, 0);
}

static void stop_clockwork(void *arg)
{
    clockwork *work = arg;
    sl_timer_free(work->timer);
    sl_loop_stop(work->loop);
}

START_TEST(timer__that_starts_itself_at_once_leaves_the_loop_to_others)
{
    clockwork work = {.loop = sl_loop_main_new()};
    work.timer = sl_timer_new(work.loop, on_restless, &work);
    sl_timer_start(work.timer, 0, 0);
    sl_loop_call(work.loop, stop_clockwork, &work); /* a message: it comes in by a descriptor */
    sl_loop_run(work.loop);                         /* comes back */
    ck_assert_int_ge(work.ticks, 1);
    sl_loop_free(work.loop);
}
END_TEST

SL_TEST_MAIN("loop", timer__that_starts_itself_at_once_leaves_the_loop_to_others,
             mailbox__keeps_the_order_of_each_sender_and_loses_nothing, timer__repeats_until_freed)
