/* A topology of real plugins, changed while a log is written: a thread plays the user, the test's own thread is
 * the main loop. */
#include "check_main.h"
#include "pipeline/topology.h"
#include <pthread.h>
#include <sluice/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINES_A_TURN 100
#define WORKERS      2

typedef struct rig {
    char dir[256];
    sl_loop *main, *workers[WORKERS];
    sl_agent_context context;
    sl_config *first;
    sl_topology *topology;
    FILE *log;
    sl_buf told; /* "kept p, added q, " */
    unsigned written;
    sl_err failed; /* of the last change; code 0: none */
    bool done;     /* atomic */
} rig;

static rig r;

/* ---- configurations ---- */

/* Pipelines in YAML's flow style; DIR stands for the test's folder. */
static sl_config *load(const char *pipelines)
{
    sl_buf text = SL_BUF_NONE;
    sl_buf_printf(&text, "service: {data_dir: %s/data, http: off}\n", r.dir);
    sl_buf_printf(&text, "inputs: {log: {tail: {path: %s/app.log, read_from: start}}}\n", r.dir);
    for (const char *at = pipelines; *at; at++) {
        if (strncmp(at, "DIR", 3) != 0) {
            sl_buf_append_char(&text, *at);
            continue;
        }
        sl_buf_append_cstr(&text, r.dir);
        at += 2;
    }
    char path[300];
    snprintf(path, sizeof path, "%s/sluice.yaml", r.dir);
    ck_assert_int_eq(sl_fs_write_file(path, text.ptr, text.len, 0600), 0);
    sl_buf_release(&text);
    const char *paths[] = {path};
    sl_problems *problems = sl_problems_new();
    sl_config *config = sl_config_load(paths, 1, problems);
    sl_buf said = SL_BUF_NONE;
    sl_problems_print(problems, &said);
    ck_assert_msg(config != NULL, "%s", sl_buf_cstr(&said));
    sl_buf_release(&said);
    sl_problems_free(problems);
    return config;
}

static const char plain[] = "pipelines: {p: {inputs: log, outputs: {file: DIR/p.out}}}\n";
static const char edited[] = "pipelines: {p: {inputs: log, filters: [{parse: json}, {edit: {set: {a: 1}}}],\n"
                             "                outputs: {file: DIR/p.out}}}\n";
static const char in_memory[] =
    "pipelines: {p: {inputs: log, outputs: {file: DIR/p.out}, buffer: {type: memory}}}\n";
static const char with_another[] = "pipelines: {p: {inputs: log, outputs: {file: DIR/p.out}},\n"
                                   "            q: {inputs: log, outputs: {file: DIR/q.out}}}\n";
static const char unable[] = "pipelines: {p: {inputs: [log, {stdin: {}}, {stdin: {name: b}}],\n"
                             "                outputs: {file: DIR/p.out}}}\n";

/* ---- the main loop's side ---- */

static void nothing_read(void *arg)
{
    (void)arg;
}

static void tell(void *arg, const char *pipeline, sl_difference difference)
{
    static const char *const words[] = {"kept", "changed", "added", "removed"};
    (void)arg;
    sl_buf_printf(&r.told, "%s %s, ", words[difference], pipeline);
}

static void on_done(void *arg, const sl_err *err)
{
    (void)arg;
    r.failed = err ? *err : (sl_err)SL_ERR_NONE;
    __atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
}

static void begin_change(void *arg)
{
    sl_config *config = arg;
    sl_buf_clear(&r.told);
    sl_topology_compare(r.topology, config, tell, NULL);
    sl_topology_change(r.topology, config, on_done, NULL);
    ck_assert(!sl_topology_may_change(r.topology));
}

static void start(void *arg)
{
    sl_err err = SL_ERR_NONE;
    (void)arg;
    r.topology = sl_topology_new(r.first, &r.context, r.main, nothing_read, NULL);
    ck_assert_msg(sl_topology_open_pipelines(r.topology, &err) == 0, "%s", err.text);
    ck_assert_msg(sl_topology_start_inputs(r.topology, &err) == 0, "%s", err.text);
}

static void stop_by(void *arg)
{
    (void)arg;
    sl_topology_stop_by(r.topology, sl_clock_mono_ns() + 10 * SL_NS_PER_S);
}

/* ---- the user's side ---- */

static void write_lines(void)
{
    for (int i = 0; i < LINES_A_TURN; i++)
        fprintf(r.log, "{\"n\":%u}\n", r.written++);
    fflush(r.log);
}

static void change_to(const char *pipelines)
{
    r.done = false;
    sl_loop_call_wait(r.main, begin_change, load(pipelines));
    while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE)) {
        write_lines();
        usleep(5000);
    }
}

/* Numbers stand in records, or in lines that no filter has parsed. */
static void count_numbers(const char *text, const char *before, unsigned *seen)
{
    for (const char *at = text; (at = strstr(at, before)); at++) {
        unsigned long n = strtoul(at + strlen(before), NULL, 10);
        if (n < r.written) seen[n]++;
    }
}

/* How often each line from `from` on stands in a file: the lowest and the highest count. */
typedef struct tally {
    const char *name;
    unsigned from, least, most;
} tally;

static void count_on_main(void *arg)
{
    tally *t = arg;
    char path[300];
    snprintf(path, sizeof path, "%s/%s", r.dir, t->name);
    unsigned *seen = sl_calloc(r.written + 1, sizeof *seen);
    sl_buf text = SL_BUF_NONE;
    t->least = UINT32_MAX;
    t->most = 0;
    if (sl_fs_read_file(path, 64 << 20, &text) < 0) sl_buf_clear(&text);
    count_numbers(sl_buf_cstr(&text), "\"n\":", seen);
    count_numbers(sl_buf_cstr(&text), "\\\"n\\\":", seen);
    for (unsigned i = t->from; i < r.written; i++) {
        if (seen[i] < t->least) t->least = seen[i];
        if (seen[i] > t->most) t->most = seen[i];
    }
    sl_buf_release(&text);
    sl_free(seen);
}

static void expect_each_once(const char *name, unsigned from)
{
    tally t = {.name = name, .from = from};
    for (int i = 0; i < 500 && t.least != 1; i++) {
        usleep(10000);
        sl_loop_call_wait(r.main, count_on_main, &t);
    }
    ck_assert_msg(t.least == 1 && t.most == 1, "%s: a line stands there %u to %u times", name, t.least,
                  t.most);
}

static void end(void)
{
    sl_loop_call_wait(r.main, stop_by, NULL);
    ck_assert(sl_topology_stop(r.topology));
    sl_topology_close(r.topology);
    sl_loop_stop(r.main);
}

/* ---- cases ---- */

static void run(const char *pipelines, void *(*user)(void *))
{
    pthread_t thread;
    memset(&r, 0, sizeof r);
    snprintf(r.dir, sizeof r.dir, "%s", sl_test_dir());
    char path[300];
    snprintf(path, sizeof path, "%s/app.log", r.dir);
    r.log = fopen(path, "ae");
    ck_assert_ptr_nonnull(r.log);
    r.main = sl_loop_main_new();
    for (int i = 0; i < WORKERS; i++)
        r.workers[i] = sl_loop_new("worker");
    r.first = load(pipelines);
    r.context = (sl_agent_context){.service = &r.first->service, .workers = r.workers, .n_workers = WORKERS};
    pthread_create(&thread, NULL, user, NULL);
    sl_loop_run(r.main);
    pthread_join(thread, NULL);
    sl_topology_free(r.topology);
    fclose(r.log);
    for (int i = 0; i < WORKERS; i++)
        sl_loop_free(r.workers[i]);
    sl_loop_free(r.main);
    sl_config_free(r.first);
    sl_buf_release(&r.told);
}

static void *goes_to_and_fro(void *arg)
{
    static const char *const ways[] = {edited, in_memory, with_another, in_memory, edited, plain};
    sl_loop_call_wait(r.main, start, NULL);
    write_lines();
    for (unsigned i = 0; i < 2 * SL_LEN(ways); i++)
        change_to(ways[i % SL_LEN(ways)]);
    ck_assert_str_eq(sl_buf_cstr(&r.told), "changed p, ");
    expect_each_once("p.out", 0);
    end();
    return arg;
}

START_TEST(topology__each_line_comes_once_however_often_it_is_changed)
{
    run(plain, goes_to_and_fro);
}
END_TEST

static void *adds_and_removes(void *arg)
{
    sl_loop_call_wait(r.main, start, NULL);
    write_lines();
    expect_each_once("p.out", 0);
    change_to(with_another);
    ck_assert_str_eq(sl_buf_cstr(&r.told), "kept p, added q, ");
    write_lines();
    expect_each_once("p.out", 0);
    /* What the shared input had read before was not for the new one. */
    expect_each_once("q.out", r.written - LINES_A_TURN);
    change_to(plain);
    ck_assert_str_eq(sl_buf_cstr(&r.told), "kept p, removed q, ");
    unsigned count;
    sl_topology_pipelines(r.topology, &count);
    ck_assert_uint_eq(count, 1);
    expect_each_once("p.out", 0);
    end();
    return arg;
}

START_TEST(topology__a_pipeline_comes_and_goes_beside_one_that_stays)
{
    run(plain, adds_and_removes);
}
END_TEST

static void *fails(void *arg)
{
    sl_loop_call_wait(r.main, start, NULL);
    write_lines();
    change_to(unable);
    ck_assert_int_eq(r.failed.code, SL_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(r.failed.text, "two places"));
    expect_each_once("p.out", 0);
    change_to(edited);
    ck_assert_int_eq(r.failed.code, 0);
    expect_each_once("p.out", 0);
    end();
    return arg;
}

START_TEST(topology__what_cannot_open_is_taken_back)
{
    run(plain, fails);
}
END_TEST

SL_TEST_MAIN("topology", topology__each_line_comes_once_however_often_it_is_changed,
             topology__a_pipeline_comes_and_goes_beside_one_that_stays,
             topology__what_cannot_open_is_taken_back)
