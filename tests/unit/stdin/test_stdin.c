/* test_stdin.c: lines from a pipe and from a file as standard input. */
#include "check_main.h"
#include <pthread.h>
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what the core gives an input ---- */

struct sl_input {
    sl_loop *loop;
    bool once, full;
    int finished, not_ready;
    pthread_mutex_t lock;
    sl_buf texts; /* each record's text, then `|`, or `!` if it was cut */
    uint64_t origins[16];
    size_t records, batches;
    sl_counter counter;
};

sl_loop *sl_input_loop(sl_input *in)
{
    return in->loop;
}
const char *sl_input_name(sl_input *in)
{
    (void)in;
    return "stdin test";
}
bool sl_input_once(sl_input *in)
{
    return in->once;
}
bool sl_input_may_read(sl_input *in)
{
    return !__atomic_load_n(&in->full, __ATOMIC_RELAXED);
}
void sl_input_not_ready(sl_input *in, const sl_err *err)
{
    (void)err;
    __atomic_add_fetch(&in->not_ready, 1, __ATOMIC_RELEASE);
}
void sl_input_finished(sl_input *in)
{
    __atomic_add_fetch(&in->finished, 1, __ATOMIC_RELEASE);
}
sl_counter *sl_input_counter(sl_input *in, const char *name, const char *help)
{
    (void)name;
    (void)help;
    return &in->counter;
}

void sl_input_emit(sl_input *in, sl_batch *batch)
{
    pthread_mutex_lock(&in->lock);
    ck_assert_ptr_null(batch->receipt);
    ck_assert_uint_gt(batch->count, 0);
    for (uint32_t i = 0; i < batch->count; i++) {
        const sl_record *rec = &batch->recs[i];
        sl_buf_append(&in->texts, rec->text, rec->len);
        sl_buf_append_char(&in->texts, rec->flags & SL_RECORD_TRUNCATED ? '!' : '|');
        if (in->records < SL_LEN(in->origins)) in->origins[in->records] = rec->origin;
        in->records++;
    }
    in->batches++;
    pthread_mutex_unlock(&in->lock);
    sl_batch_unref(batch);
}

/* ---- the rig ---- */

extern const sl_plugin sl_input_stdin;

typedef struct stdin_conf {
    uint64_t max_line;
    bool skip_empty_lines;
} stdin_conf;

typedef struct rig {
    sl_input in;
    stdin_conf conf;
    void *self;
    int was; /* the test's own standard input */
} rig;

static void start_here(void *arg)
{
    rig *r = arg;
    r->self = sl_input_stdin.input->start(&r->in, &r->conf, NULL);
}

static void stop_here(void *arg)
{
    rig *r = arg;
    sl_input_stdin.input->stop(r->self);
    sl_input_stdin.input->free(r->self);
}

static void begin(rig *r, int fd, bool once)
{
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->in.lock, NULL);
    r->in.once = once;
    r->conf = (stdin_conf){.max_line = 1000, .skip_empty_lines = true};
    r->was = dup(0);
    dup2(fd, 0);
    close(fd);
    r->in.loop = sl_loop_new("stdin");
    sl_log_min = SL_LOG_ERROR + 1;
}

static void run(rig *r)
{
    sl_loop_call_wait(r->in.loop, start_here, r);
}

static void stop(rig *r)
{
    sl_loop_call_wait(r->in.loop, stop_here, r);
    sl_loop_free(r->in.loop);
    dup2(r->was, 0);
    close(r->was);
}

static size_t records(rig *r)
{
    pthread_mutex_lock(&r->in.lock);
    size_t n = r->in.records;
    pthread_mutex_unlock(&r->in.lock);
    return n;
}

static void wait_records(rig *r, size_t n)
{
    for (int i = 0; i < 5000 && records(r) < n; i++)
        usleep(1000);
    ck_assert_uint_eq(records(r), n);
}

static void wait_finished(rig *r)
{
    for (int i = 0; i < 20000 && !__atomic_load_n(&r->in.finished, __ATOMIC_ACQUIRE); i++)
        usleep(1000);
    ck_assert_int_eq(r->in.finished, 1);
}

static void end(rig *r, const char *texts)
{
    ck_assert_str_eq(sl_buf_cstr(&r->in.texts), texts);
    sl_buf_release(&r->in.texts);
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
}

/* ---- tests ---- */

START_TEST(stdin__reads_lines_as_they_come)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    rig r;
    begin(&r, fds[0], false);
    run(&r);
    put(fds[1], "one\ntwo\r\n\nth");
    wait_records(&r, 2);
    put(fds[1], "ree\n");
    wait_records(&r, 3);
    ck_assert_uint_eq(r.in.origins[0], 0);
    ck_assert_uint_eq(r.in.origins[1], 4);
    ck_assert_uint_eq(r.in.origins[2], 10);
    put(fds[1], "half");
    usleep(20000);
    stop(&r); /* nothing brings it again */
    close(fds[1]);
    end(&r, "one|two|three|half|");
}
END_TEST

START_TEST(stdin__once_ends_with_the_input)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    rig r;
    begin(&r, fds[0], true);
    put(fds[1], "one\nlast");
    close(fds[1]);
    run(&r);
    wait_finished(&r);
    stop(&r);
    end(&r, "one|last|");
}
END_TEST

START_TEST(stdin__cuts_long_lines_and_reads_on)
{
    char long_line[5001];
    memset(long_line, 'x', 5000);
    long_line[5000] = '\0';
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    rig r;
    begin(&r, fds[0], true);
    run(&r);
    for (int i = 0; i < 10; i++)
        put(fds[1], long_line);
    put(fds[1], "\nshort\n");
    put(fds[1], long_line);
    close(fds[1]);
    wait_finished(&r);
    stop(&r);
    long_line[1000] = '\0';
    sl_buf expected = SL_BUF_NONE;
    sl_buf_printf(&expected, "%s!short|%s!", long_line, long_line);
    end(&r, sl_buf_cstr(&expected));
    sl_buf_release(&expected);
}
END_TEST

START_TEST(stdin__waits_while_the_pipeline_is_full)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    rig r;
    begin(&r, fds[0], false);
    r.in.full = true;
    run(&r);
    put(fds[1], "one\n");
    usleep(50000);
    ck_assert_uint_eq(records(&r), 0);
    __atomic_store_n(&r.in.full, false, __ATOMIC_RELAXED);
    sl_loop_call_wait(r.in.loop, sl_input_stdin.input->resume, r.self);
    wait_records(&r, 1);
    stop(&r);
    close(fds[1]);
    end(&r, "one|");
}
END_TEST

/* A regular file cannot be polled. Large enough for many batches, with lines across their edges. */
START_TEST(stdin__reads_a_file_whole_and_in_order)
{
    FILE *f = tmpfile();
    sl_buf expected = SL_BUF_NONE;
    for (int i = 0; i < 100000; i++) {
        fprintf(f, "line %d %.*s\n", i, i % 60,
                "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl");
        sl_buf_printf(&expected, "line %d %.*s|", i, i % 60,
                      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl");
    }
    fflush(f);
    lseek(fileno(f), 0, SEEK_SET);
    rig r;
    begin(&r, dup(fileno(f)), true);
    run(&r);
    wait_finished(&r);
    stop(&r);
    fclose(f);
    ck_assert_uint_gt(r.in.batches, 5);
    ck_assert(sl_span_is(sl_buf_span(&r.in.texts), sl_buf_span(&expected)));
    sl_buf_release(&r.in.texts);
    sl_buf_release(&expected);
}
END_TEST

SL_TEST_MAIN("stdin", stdin__reads_lines_as_they_come, stdin__once_ends_with_the_input,
             stdin__cuts_long_lines_and_reads_on, stdin__waits_while_the_pipeline_is_full,
             stdin__reads_a_file_whole_and_in_order)
