/* app.c: the composition root: builds and wires all parts; the order of start and stop.
 *
 * Start: data_dir lock, worker loops, pipelines (journal, outputs, filters), admin pages, inputs. A pipeline
 * or an input that does not start for a reason that may pass, as a full disk, is tried again from time to
 * time while the others work; /ready says why. Only what a person must mend ends the start.
 *
 * Stop, on a thread of its own so that the main loop goes on answering /live: inputs stop reading; what was
 * read reaches the journals; outputs deliver until the deadline; pages end; pipelines close; inputs save
 * their last checkpoints; loops end.
 */
#include "app.h"
#include "admin/admin.h"
#include "runtime/signals.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define MAX_AUTO_WORKERS 4
#define MAX_PATH_TEXT    4096
#define LAST_MOMENT_NS   (500 * SL_NS_PER_MS) /* enough for what was read to reach the journals */
#define RETRY_NS         SL_NS_PER_S          /* between attempts to start what has not started */
#define RETRY_LOG_NS     (60 * SL_NS_PER_S)
#define GIVE_BACK_NS     (10 * SL_NS_PER_S) /* free memory is a peak's at most for so long */

struct sl_app {
    const sl_config *config;
    sl_agent_context context;
    sl_loop *main;
    sl_loop **workers;
    sl_pipeline **pipelines;
    unsigned n_pipelines;
    sl_input **inputs;
    unsigned n_inputs;
    sl_admin *admin;
    sl_signal *signals[3];
    sl_timer *retry, *give_back;
    sl_log_limit retry_limit;
    int lock_fd;
    unsigned finished_inputs; /* atomic, with once */
    int64_t deadline_ns;      /* atomic: when draining must end */
    int64_t asked_ns;         /* when a signal first asked to stop; 0: none did */
    bool started, stopping;
    bool complete;
    pthread_t stopper;
};

/* ---- data_dir ---- */

static int lock_data_dir(sl_app *app, sl_err *err)
{
    const char *dir = app->config->service.data_dir;
    char path[MAX_PATH_TEXT];
    int rc = sl_fs_mkdirs(dir, 0700);
    if (rc < 0)
        return sl_err_sys(err, -rc, "service.data_dir: cannot make %s; name a folder the agent may write",
                          dir);
    snprintf(path, sizeof path, "%s/lock", dir);
    app->lock_fd = sl_fs_open(path, O_RDWR | O_CREAT, 0600);
    if (app->lock_fd < 0)
        return sl_err_sys(err, -app->lock_fd,
                          "service.data_dir: cannot open %s; name a folder the agent may write", path);
    rc = sl_fs_flock(app->lock_fd, LOCK_EX | LOCK_NB);
    if (rc == -EWOULDBLOCK)
        return sl_err_set(
            err, SL_E_LOCKED,
            "service.data_dir: another sluice process uses %s: stop it, or give this one its own data_dir",
            dir);
    return rc < 0 ? sl_err_sys(err, -rc, "service.data_dir: cannot lock %s", path) : 0;
}

/* ---- stopping ---- */

static void close_admin(void *arg)
{
    sl_app *app = arg;
    sl_admin_free(app->admin);
    app->admin = NULL;
}

static void *stop_everything(void *arg)
{
    sl_app *app = arg;
    bool complete = true;
    for (unsigned i = 0; i < app->n_inputs; i++)
        sl_input_stop(app->inputs[i]);
    for (unsigned i = 0; i < app->n_pipelines; i++)
        complete = sl_pipeline_settle(app->pipelines[i], &app->deadline_ns) && complete;
    for (unsigned i = 0; i < app->n_pipelines; i++)
        complete = sl_pipeline_drain(app->pipelines[i], &app->deadline_ns) && complete;
    sl_loop_call_wait(app->main, close_admin, app);
    for (unsigned i = 0; i < app->n_pipelines; i++)
        sl_pipeline_close(app->pipelines[i]);
    app->complete = complete;
    sl_loop_stop(app->main);
    return NULL;
}

static void begin_stop(sl_app *app, int64_t deadline_ns)
{
    __atomic_store_n(&app->deadline_ns, deadline_ns, __ATOMIC_RELAXED);
    if (app->stopping) return;
    app->stopping = true;
    if (app->retry) sl_timer_stop(app->retry);
    if (pthread_create(&app->stopper, NULL, stop_everything, app) != 0)
        sl_bug("cannot start the thread that stops the agent");
}

/* Whoever asks a second time will not wait. timeout(1), and a shell whose pipeline is interrupted, ask twice
 * in one breath: that is once. */
static void hurry(sl_app *app, int64_t now)
{
    if (now - app->asked_ns < SL_NS_PER_S || app->deadline_ns < now + LAST_MOMENT_NS) return;
    sl_info("agent", "asked again: stopping now, what is buffered stays in the journal");
    begin_stop(app, now + LAST_MOMENT_NS);
}

static void on_terminate(void *arg)
{
    sl_app *app = arg;
    int64_t timeout = app->config->service.shutdown_timeout_ns;
    int64_t now = sl_clock_mono_ns();
    if (app->asked_ns) {
        hurry(app, now);
        return;
    }
    app->asked_ns = now;
    sl_info("agent", "stopping: delivering what is buffered, for at most %lld s",
            (long long)(timeout / SL_NS_PER_S));
    begin_stop(app, now + timeout);
}

static void on_hangup(void *arg)
{
    (void)arg;
    sl_warn("agent",
            "SIGHUP: this version cannot reload its configuration: restart the agent, nothing is lost by it");
}

static void finish_on_main(void *arg)
{
    sl_app *app = arg;
    if (!app->stopping) begin_stop(app, INT64_MAX);
}

/* On an input's loop. */
static void on_input_finished(void *arg)
{
    sl_app *app = arg;
    if (__atomic_add_fetch(&app->finished_inputs, 1, __ATOMIC_ACQ_REL) == app->n_inputs)
        sl_loop_call(app->main, finish_on_main, app);
}

/* ---- starting ---- */

static unsigned worker_count(const sl_service_conf *service)
{
    if (service->workers) return service->workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) cores = 1;
    return cores > MAX_AUTO_WORKERS ? MAX_AUTO_WORKERS : (unsigned)cores;
}

static void start_loops(sl_app *app)
{
    unsigned count = worker_count(&app->config->service);
    app->workers = sl_calloc(count, sizeof *app->workers);
    for (unsigned i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "worker-%u", i);
        app->workers[i] = sl_loop_new(name);
    }
    app->context.workers = app->workers;
    app->context.n_workers = count;
}

static bool uses(const sl_pipeline_conf *conf, const sl_plugin_use *input)
{
    for (size_t i = 0; i < conf->inputs.count; i++) {
        if (conf->inputs.items[i] == input) return true;
    }
    return false;
}

static void make_pipelines(sl_app *app)
{
    app->pipelines = sl_calloc(app->config->n_pipelines, sizeof *app->pipelines);
    for (size_t i = 0; i < app->config->n_pipelines; i++)
        app->pipelines[app->n_pipelines++] = sl_pipeline_new(&app->config->pipelines[i], &app->context);
}

static void make_inputs(sl_app *app)
{
    const sl_config *config = app->config;
    app->inputs = sl_calloc(config->inputs.count + app->n_pipelines, sizeof *app->inputs);
    sl_pipeline **fed = sl_calloc(config->n_pipelines, sizeof *fed);
    for (size_t i = 0; i < config->inputs.count; i++) {
        unsigned n = 0;
        for (unsigned p = 0; p < app->n_pipelines; p++) {
            if (uses(&config->pipelines[p], config->inputs.items[i])) fed[n++] = app->pipelines[p];
        }
        unsigned worker = (unsigned)i % app->context.n_workers;
        app->inputs[app->n_inputs++] =
            sl_input_new(config->inputs.items[i], &app->context, worker, fed, n, on_input_finished, app);
    }
    sl_free(fed);
    for (unsigned p = 0; p < app->n_pipelines; p++)
        app->inputs[app->n_inputs++] = sl_pipeline_replay_input(app->pipelines[p], on_input_finished, app);
}

/* Whether the agent goes on without a part that did not start; it is tried again then. Once the agent is at
 * work no error of a part ends it. */
static bool goes_on_without(sl_app *app, sl_err *err)
{
    if (!app->started && (app->context.once || !sl_err_may_pass(err))) return false;
    sl_log_limited(&app->retry_limit, SL_LOG_ERROR, "agent", "%s; it is tried again", err->text);
    sl_timer_start(app->retry, RETRY_NS, 0);
    *err = (sl_err)SL_ERR_NONE;
    return true;
}

/* Those that are not open. */
static int open_pipelines(sl_app *app, sl_err *err)
{
    for (unsigned i = 0; i < app->n_pipelines; i++) {
        if (sl_pipeline_is_open(app->pipelines[i])) continue;
        if (sl_pipeline_open(app->pipelines[i], err) < 0 && !goes_on_without(app, err)) return err->code;
    }
    return 0;
}

/* Those that have not started and whose pipelines are open. */
static int start_inputs(sl_app *app, sl_err *err)
{
    for (unsigned i = 0; i < app->n_inputs; i++) {
        sl_input *in = app->inputs[i];
        if (sl_input_is_started(in) || !sl_input_may_start(in)) continue;
        if (sl_input_start(in, err) < 0 && !goes_on_without(app, err)) return err->code;
    }
    return 0;
}

static void on_retry(void *arg)
{
    sl_app *app = arg;
    sl_err err = SL_ERR_NONE;
    open_pipelines(app, &err);
    start_inputs(app, &err);
    if (!sl_timer_is_active(app->retry)) sl_info("agent", "what could not be started before is at work");
}

static int start_admin(sl_app *app, sl_err *err)
{
    const sl_service_conf *service = &app->config->service;
    if (!service->http.on) return 0;
    app->admin = sl_admin_new(app->main, service, app->pipelines, app->n_pipelines, err);
    if (!app->admin) return err->code;
    sl_info("agent", "pages at http://%s:%u/", service->http.host, sl_admin_port(app->admin));
    return 0;
}

static void on_give_back(void *arg)
{
    (void)arg;
    sl_memory_give_back();
}

/* Before what may take long: who is told to end meanwhile ends in order. */
static void take_signals(sl_app *app)
{
    app->signals[0] = sl_signal_new(app->main, SIGTERM, on_terminate, app);
    app->signals[1] = sl_signal_new(app->main, SIGINT, on_terminate, app);
    app->signals[2] = sl_signal_new(app->main, SIGHUP, on_hangup, app);
}

static int start_parts(sl_app *app, sl_err *err)
{
    int rc = lock_data_dir(app, err);
    if (rc < 0) return rc;
    take_signals(app);
    start_loops(app);
    make_pipelines(app);
    app->retry_limit = (sl_log_limit){.burst = 1, .interval_ns = RETRY_LOG_NS};
    app->retry = sl_timer_new(app->main, on_retry, app);
    app->give_back = sl_timer_new(app->main, on_give_back, app);
    sl_timer_start(app->give_back, GIVE_BACK_NS, GIVE_BACK_NS);
    rc = open_pipelines(app, err);
    if (rc < 0) return rc;
    rc = start_admin(app, err);
    if (rc < 0) return rc;
    make_inputs(app);
    rc = start_inputs(app, err);
    app->started = rc == 0;
    return rc;
}

sl_app *sl_app_start(const sl_config *config, bool once, sl_err *err)
{
    signal(SIGPIPE, SIG_IGN);
    sl_app *app = sl_calloc(1, sizeof *app);
    app->config = config;
    app->context = (sl_agent_context){.service = &config->service, .once = once};
    app->lock_fd = -1;
    app->main = sl_loop_main_new();
    if (start_parts(app, err) == 0) return app;
    /* What was started is taken down in the usual order, without waiting for deliveries. */
    begin_stop(app, 0);
    sl_app_run(app);
    sl_app_free(app);
    return NULL;
}

/* What an input could not read was not delivered. */
static bool read_all(sl_pipeline *pipeline)
{
    char status[SL_ERR_TEXT_MAX];
    for (unsigned i = 0; i < sl_pipeline_input_count(pipeline); i++) {
        sl_pipeline_input_status(pipeline, i, status, sizeof status);
        if (strcmp(status, "ok") != 0) return false;
    }
    return true;
}

static bool delivered_all(const sl_app *app)
{
    for (unsigned i = 0; i < app->n_pipelines; i++) {
        sl_pipeline *pipeline = app->pipelines[i];
        if (!read_all(pipeline)) return false;
        const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
        if (sl_drops_total(&p->dropped) || sl_ledger_get(&p->dead_lettered)) return false;
        for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++) {
            const sl_output_ledger *ledger = sl_pipeline_output_ledger(pipeline, o);
            if (sl_drops_total(&ledger->dropped) || sl_ledger_get(&ledger->dead_lettered)) return false;
        }
    }
    return app->complete;
}

bool sl_app_run(sl_app *app)
{
    sl_loop_run(app->main);
    if (app->stopping) pthread_join(app->stopper, NULL);
    return delivered_all(app);
}

void sl_app_free(sl_app *app)
{
    for (unsigned i = 0; i < app->n_inputs; i++)
        sl_input_free(app->inputs[i]);
    for (unsigned i = 0; i < app->n_pipelines; i++)
        sl_pipeline_free(app->pipelines[i]);
    for (unsigned i = 0; i < app->context.n_workers; i++)
        sl_loop_free(app->workers[i]);
    for (size_t i = 0; i < SL_LEN(app->signals); i++)
        sl_signal_free(app->signals[i]);
    sl_timer_free(app->retry);
    sl_timer_free(app->give_back);
    sl_loop_free(app->main);
    if (app->lock_fd >= 0) sl_fs_close(app->lock_fd);
    sl_free(app->inputs);
    sl_free(app->pipelines);
    sl_free(app->workers);
    sl_free(app);
}

sl_pipeline *const *sl_app_pipelines(const sl_app *app, unsigned *count)
{
    *count = app->n_pipelines;
    return app->pipelines;
}

sl_loop *sl_app_main_loop(const sl_app *app)
{
    return app->main;
}
