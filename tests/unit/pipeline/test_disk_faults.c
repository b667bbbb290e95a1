/* A whole pipeline on a disk that fails: files that are written and rotated, the tail input, the journal, and
 * an output that stands in for an index. Each call of the door fails, once and for as long as it is asked;
 * the agent goes on, and when the disk works again every line is in the index once.
 */
#include "../../../plugins/inputs/tail/tail_int.h"
#include "check_main.h"
#include "faulty_disk.h"
#include "pipeline/pipeline.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const sl_plugin sl_input_tail;

#define MAX_LINES 40000
#define A_WHILE   80000 /* us for which a disk fails that fails for ever */

/* ---- the index: what came, by the number in the line ---- */

static struct {
    sl_id ids[MAX_LINES];
    uint64_t count, doubled; /* atomic: written on the output's loop */
} seen;
static bool away; /* atomic: the index takes nothing */

static void take_line(const sl_record_ref *ref, const char *text)
{
    const char *number = strstr(text, "line ");
    size_t n = number ? strtoull(number + strlen("line "), NULL, 10) : MAX_LINES;
    if (n >= MAX_LINES) abort();
    sl_id id = sl_record_id(ref->batch, ref->rec), *known = &seen.ids[n];
    if (known->hi == id.hi && known->lo == id.lo) return; /* there already: one document */
    if (known->hi || known->lo)
        __atomic_add_fetch(&seen.doubled, 1, __ATOMIC_RELAXED);
    else
        __atomic_add_fetch(&seen.count, 1, __ATOMIC_RELAXED);
    *known = id;
}

static void *index_start(sl_output *out, const void *conf, sl_err *err)
{
    (void)conf;
    (void)err;
    return out;
}

static void index_send(void *self, sl_request *req)
{
    sl_verdict verdict;
    sl_buf text = SL_BUF_NONE;
    sl_verdict_init(&verdict, req);
    if (__atomic_load_n(&away, __ATOMIC_RELAXED)) {
        sl_verdict_set(&verdict, SL_VERDICT_RETRY, "away");
        sl_request_done(self, req, &verdict);
        return;
    }
    for (uint32_t i = 0; i < req->count; i++) {
        sl_buf_clear(&text);
        sl_record_write(req->recs[i].batch, req->recs[i].rec, &text);
        take_line(&req->recs[i], sl_buf_cstr(&text));
    }
    sl_buf_release(&text);
    sl_request_done(self, req, &verdict);
}

static void index_free(void *self)
{
    (void)self;
}

static const sl_output_ops index_ops = {
    .start = index_start, .send = index_send, .free = index_free, .max_in_flight = 2};
static const sl_option no_options[] = {{0}};
static const sl_plugin index_plugin = {.abi = SL_ABI_VERSION,
                                       .kind = SL_PLUGIN_OUTPUT,
                                       .name = "index",
                                       .options = no_options,
                                       .output = &index_ops};

/* ---- the log files ---- */

static char logs[256];
static uint64_t written;
static int rotations;

/* Directly, not through the door: it is another program that logs. */
static void write_lines(int count)
{
    char path[300];
    snprintf(path, sizeof path, "%s/app.log", logs);
    FILE *file = fopen(path, "a");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < count; i++) {
        fprintf(file, "line %llu ", (unsigned long long)written++);
        for (int k = 0; k < 48; k++)
            fprintf(file, "%016llx", (unsigned long long)sl_id_random().lo);
        fputc('\n', file);
    }
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_uint_lt(written, MAX_LINES);
}

static void rotate(void)
{
    char from[300], to[320];
    snprintf(from, sizeof from, "%s/app.log", logs);
    snprintf(to, sizeof to, "%s/app.log.%d", logs, ++rotations);
    ck_assert_int_eq(rename(from, to), 0);
}

/* ---- the pipeline ---- */

static char data_dir[256], pattern[300], said_path[300];
static sl_span patterns[1];
static tail_conf tailed;
static const sl_delivery_conf delivery = {
    .request = {.max_bytes = 1 << 20, .max_records = 100, .max_age_ns = SL_NS_PER_MS, .concurrency = 2},
    .retry = {.initial_ns = SL_NS_PER_MS, .max_ns = SL_NS_PER_MS},
};
static const sl_plugin_use input_use = {
    .plugin = &sl_input_tail, .conf = &tailed, .name = "tail", .pipeline = "p"};
static const sl_plugin_use output_use = {
    .plugin = &index_plugin, .name = "index", .pipeline = "p", .delivery = &delivery};
static const sl_plugin_use *const inputs[] = {&input_use}, *const outputs[] = {&output_use};
static const sl_pipeline_conf conf = {
    .name = "p",
    .inputs = {inputs, 1},
    .outputs = {outputs, 1},
    .buffer = {.type = SL_JOURNAL_DISK,
               .max_size = 1 << 28,
               .segment_size = 64 << 10,
               .segment_age_ns = 3600 * SL_NS_PER_S,
               .fsync = SL_FSYNC_INTERVAL,
               .fsync_interval_ns = 20 * SL_NS_PER_MS,
               .compress_level = 1},
};
static sl_service_conf service;
static sl_loop *worker;
static sl_agent_context context;
static sl_pipeline *pipeline;
static sl_input *input;
static sl_err err;

static void close_all(void)
{
    int64_t never = 0;
    if (input) sl_input_stop(input);
    if (pipeline) {
        sl_pipeline_settle(pipeline, &never);
        sl_pipeline_close(pipeline);
    }
    if (input) sl_input_free(input);
    if (pipeline) sl_pipeline_free(pipeline);
    sl_loop_free(worker);
    input = NULL;
    pipeline = NULL;
}

/* What has not started yet, as the agent does it. False: `err` says why. */
static bool start_rest(void)
{
    err = (sl_err)SL_ERR_NONE;
    int rc = sl_pipeline_is_open(pipeline) ? 0 : sl_pipeline_open(pipeline, &err);
    if (rc == 0 && !sl_input_is_started(input)) rc = sl_input_start(input, &err);
    return rc == 0;
}

static bool open_all(void)
{
    worker = sl_loop_new("worker");
    service = (sl_service_conf){.data_dir = data_dir};
    context = (sl_agent_context){.service = &service, .workers = &worker, .n_workers = 1};
    pipeline = sl_pipeline_new(&conf, &context);
    input = sl_input_new(&input_use, &context, 0, &pipeline, 1, NULL, NULL);
    return start_rest();
}

/* What the agent says goes to a file, to be looked into. */
static void begin(void)
{
    memset(&seen, 0, sizeof seen);
    written = 0;
    rotations = 0;
    tail_default_times.save = 30 * SL_NS_PER_MS;
    tail_default_times.check = 30 * SL_NS_PER_MS;
    tail_default_times.rescan = 200 * SL_NS_PER_MS;
    snprintf(data_dir, sizeof data_dir, "%s", sl_test_dir());
    snprintf(logs, sizeof logs, "%s", sl_test_dir());
    snprintf(pattern, sizeof pattern, "%s/*", logs);
    patterns[0] = sl_span_of(pattern);
    tailed = (tail_conf){.path = {patterns, 1},
                         .file_field = SL_SPAN("file"),
                         .max_line = 1 << 20,
                         .poll_interval = SL_NS_PER_S,
                         .max_open_files = 64};
    ck_assert_msg(sl_input_tail.check(&tailed, &err) == 0, "%s", err.text);
    snprintf(said_path, sizeof said_path, "%s/stderr", sl_test_dir());
    ck_assert_ptr_nonnull(freopen(said_path, "a", stderr));
}

static void end(void)
{
    sl_input_tail.conf_release(&tailed);
}

/* Whether the log has named a file below `folder` since offset `from`. */
static bool has_named(const char *folder, long from)
{
    static char text[1 << 16];
    FILE *file = fopen(said_path, "r");
    fseek(file, from, SEEK_SET);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, folder) != NULL;
}

static long said_so_far(void)
{
    struct stat st;
    ck_assert_int_eq(stat(said_path, &st), 0);
    return st.st_size;
}

#define READ(field) sl_ledger_get(&(field))

static bool is_balanced(void)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    const sl_output_ledger *o = sl_pipeline_output_ledger(pipeline, 0);
    bool none_gone = !sl_drops_total(&p->dropped) && !sl_drops_total(&o->dropped) && !READ(p->dead_lettered);
    return none_gone && READ(p->received) + READ(p->recovered) == READ(p->journaled) + READ(p->on_the_way) &&
           READ(p->journaled) == READ(o->delivered) + READ(o->buffered) + READ(o->in_flight);
}

static bool all_is_there(void)
{
    return __atomic_load_n(&seen.count, __ATOMIC_RELAXED) == written && is_balanced();
}

static void expect_all(const char *after)
{
    for (int i = 0; i < 15000 && !all_is_there(); i++)
        usleep(1000);
    ck_assert_msg(all_is_there(), "%s: %llu of %llu lines are in the index", after,
                  (unsigned long long)seen.count, (unsigned long long)written);
    ck_assert_msg(seen.doubled == 0, "%s: %llu lines are there twice", after,
                  (unsigned long long)seen.doubled);
}

/* ---- every call fails ---- */

static const struct {
    disk_call call;
    const char *name;
} calls[] = {
    {DISK_OPEN, "open"},
    {DISK_READ, "read"},
    {DISK_WRITE, "write"},
    {DISK_SYNC, "fsync"},
    {DISK_TRUNCATE, "truncate"},
    {DISK_RENAME, "rename"},
    {DISK_UNLINK, "unlink"},
    {DISK_CLOSE, "close"},
    {DISK_ALLOCATE, "fallocate"},
    {DISK_FSTAT, "fstat"},
    {DISK_STAT, "stat"},
    {DISK_LINK, "link"},
    {DISK_MKDIR, "mkdir"},
    {DISK_WRITE | DISK_TRUNCATE, "write and truncate"},
    {DISK_SYNC | DISK_RENAME, "fsync and rename"},
    {DISK_ANY, "any call"},
};
static const int errors[] = {ENOSPC, EIO, EMFILE, EACCES};

static void set_away(bool on)
{
    __atomic_store_n(&away, on, __ATOMIC_RELAXED);
}

static void expect_journaled(uint64_t received, const char *after)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    for (int i = 0; i < 15000 && (READ(p->received) < received || READ(p->on_the_way)); i++)
        usleep(1000);
    ck_assert_msg(READ(p->received) >= received && !READ(p->on_the_way),
                  "%s: not all lines came to the journal", after);
}

/* The call fails once while the log is written and rotated: nobody notices. Returns whether it was made. */
static bool fail_once(size_t c, int error, bool short_write)
{
    char step[100];
    snprintf(step, sizeof step, "%s once: %s%s", calls[c].name, strerror(error),
             short_write ? ", short" : "");
    disk_fail(calls[c].call, 1, 1, error, short_write);
    write_lines(60);
    if (rotations % 2 == 0) usleep(2000);
    rotate();
    write_lines(60);
    expect_all(step);
    bool failed = disk_failed();
    disk_heal();
    return failed;
}

/* The call fails for a while; what was written meanwhile comes from the disk, after a restart. */
static bool fail_for_a_while(size_t c, int error)
{
    char step[100];
    snprintf(step, sizeof step, "%s for a while: %s", calls[c].name, strerror(error));
    uint64_t received = READ(sl_pipeline_ledger_of(pipeline)->received);
    set_away(true);
    disk_fail(calls[c].call, 1, UINT64_MAX, error, false);
    write_lines(60);
    if (rotations % 2 == 0) usleep(2000);
    rotate();
    write_lines(60);
    usleep(A_WHILE);
    bool failed = disk_failed();
    disk_heal();
    expect_journaled(received + 120, step);
    close_all();
    set_away(false);
    ck_assert_msg(open_all(), "%s: %s", step, err.text);
    expect_all(step);
    return failed;
}

/* Returns whether the call was made at all. */
static bool fail_in_every_way(size_t c)
{
    bool failed = false;
    for (size_t e = 0; e < SL_LEN(errors); e++) {
        failed |= fail_once(c, errors[e], e % 2);
        failed |= fail_for_a_while(c, errors[e]);
    }
    return failed;
}

START_TEST(disk_faults__every_call_fails_while_the_log_is_written)
{
    unsigned made = 0;
    begin();
    for (size_t c = 0; c < SL_LEN(calls); c++) {
        long said = said_so_far();
        ck_assert_msg(open_all(), "%s", err.text);
        write_lines(10);
        expect_all("the beginning");
        bool failed = fail_in_every_way(c), alone = (calls[c].call & (calls[c].call - 1)) == 0;
        if (failed && alone) made |= calls[c].call;
        close_all();
        /* Lines about the same are few: what is said is said of the first of them. */
        if (calls[c].call & (DISK_WRITE | DISK_SYNC | DISK_OPEN))
            ck_assert_msg(has_named(data_dir, said) || has_named(logs, said), "%s: no file was named",
                          calls[c].name);
    }
    /* The others come about in opening, or after one of these has failed. */
    ck_assert_uint_eq(made, DISK_OPEN | DISK_READ | DISK_WRITE | DISK_SYNC | DISK_UNLINK | DISK_CLOSE |
                                DISK_FSTAT | DISK_STAT);
    end();
}
END_TEST

/* ---- opening ---- */

/* What did not start names a file, may be tried again, and is not ready meanwhile. */
static void expect_told(const char *step, int error)
{
    char journal[SL_ERR_TEXT_MAX], reading[SL_ERR_TEXT_MAX];
    ck_assert_msg(strstr(err.text, data_dir) != NULL, "%s: %s", step, err.text);
    ck_assert_msg(sl_err_may_pass(&err) == (error != EACCES), "%s: %s", step, err.text);
    sl_pipeline_journal_status(pipeline, journal, sizeof journal);
    sl_pipeline_input_status(pipeline, 0, reading, sizeof reading);
    ck_assert_msg(strcmp(journal, err.text) == 0 || strcmp(reading, err.text) == 0, "%s: %s, %s", step,
                  journal, reading);
    ck_assert_str_ne(reading, "ok");
}

/* Lines wait in the journal and others have not been read when the pipeline is opened on a disk that fails.
 */
static bool fail_while_opening(uint64_t at, uint64_t times, int error)
{
    char step[100];
    snprintf(step, sizeof step, "opening, call %llu%s: %s", (unsigned long long)at,
             times > 1 ? " and on" : "", strerror(error));
    set_away(true);
    ck_assert_msg(open_all(), "%s: %s", step, err.text);
    write_lines(20);
    for (int i = 0; i < 5000 && READ(sl_pipeline_ledger_of(pipeline)->journaled) < written - seen.count; i++)
        usleep(1000);
    close_all();
    write_lines(20);
    if (at % 3 == 0) rotate();
    set_away(false);
    disk_fail(DISK_ANY, at, times, error, false);
    bool opened = open_all();
    bool failed = disk_failed();
    if (!opened) expect_told(step, error);
    if (opened && times > 1) usleep(A_WHILE);
    disk_heal();
    ck_assert_msg(start_rest(), "%s: %s", step, err.text);
    expect_all(step);
    close_all();
    return failed;
}

START_TEST(disk_faults__every_call_of_opening_fails)
{
    begin();
    for (uint64_t at = 1; at < 40 && fail_while_opening(at, 1, errors[at % SL_LEN(errors)]); at++)
        fail_while_opening(at, UINT64_MAX, errors[(at + 1) % SL_LEN(errors)]);
    end();
}
END_TEST

SL_TEST_MAIN("disk faults", disk_faults__every_call_fails_while_the_log_is_written,
             disk_faults__every_call_of_opening_fails)
