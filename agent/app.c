/* app.c: the composition root: builds and wires all parts; the order of start and stop.
 *
 * Start: data_dir lock, worker loops, pipelines (journal, outputs, filters), admin pages, inputs. /ready says
 * what did not start and is tried again. Only what a person must mend ends the start.
 *
 * Stop, on a thread of its own so that the main loop goes on answering /live: a reload under way ends; inputs
 * stop reading; what was read reaches the journals; outputs deliver until the deadline; pages end; pipelines
 * close; inputs save their last checkpoints; loops end.
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
#define GIVE_BACK_NS     (10 * SL_NS_PER_S)   /* free memory is a peak's at most for so long */

struct sl_app {
    const sl_service_conf *service;
    sl_agent_context context;
    sl_loop *main;
    sl_loop **workers;
    sl_topology *topology;
    sl_reload *reload;
    sl_admin *admin;
    sl_signal *signals[3];
    sl_timer *give_back;
    int lock_fd;
    int64_t shutdown_timeout_ns;
    int64_t deadline_ns; /* when draining must end */
    int64_t asked_ns;    /* when a signal first asked to stop; 0: none did */
    bool forgotten;      /* the code of the first connections, after that of the start */
    bool stopping;
    bool complete;
    pthread_t stopper;
};

/* ---- data_dir ---- */

static int lock_data_dir(sl_app *app, sl_err *err)
{
    const char *dir = app->service->data_dir;
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
    app->complete = app->topology && sl_topology_stop(app->topology);
    sl_loop_call_wait(app->main, close_admin, app);
    if (app->topology) sl_topology_close(app->topology);
    sl_loop_stop(app->main);
    return NULL;
}

static void begin_stop(sl_app *app, int64_t deadline_ns)
{
    app->deadline_ns = deadline_ns;
    if (app->topology) sl_topology_stop_by(app->topology, deadline_ns);
    if (app->stopping) return;
    app->stopping = true;
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
    int64_t timeout = app->shutdown_timeout_ns;
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
    sl_app *app = arg;
    if (app->reload) sl_reload_signal(app->reload);
}

static void on_all_read(void *arg)
{
    sl_app *app = arg;
    if (!app->stopping) begin_stop(app, INT64_MAX);
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
    unsigned count = worker_count(app->service);
    app->workers = sl_calloc(count, sizeof *app->workers);
    for (unsigned i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "worker-%u", i);
        app->workers[i] = sl_loop_new(name);
    }
    app->context.workers = app->workers;
    app->context.n_workers = count;
}

/* What a reload brings for the parts that are no pipelines. */
static void take_service(void *arg, const sl_service_conf *service)
{
    sl_app *app = arg;
    app->shutdown_timeout_ns = service->shutdown_timeout_ns;
    sl_log_init(service->log_level, service->log_json);
}

static void make_reload(sl_app *app, const sl_app_conf *from)
{
    sl_reload_conf conf = {.topology = app->topology,
                           .context = &app->context,
                           .main = app->main,
                           .paths = from->paths,
                           .n_paths = from->n_paths,
                           .take_service = take_service,
                           .arg = app};
    app->reload = sl_reload_new(&conf);
}

static int start_admin(sl_app *app, sl_err *err)
{
    if (!app->service->http.on) return 0;
    app->admin = sl_admin_new(app->main, app->service, app->topology, app->reload, err);
    if (!app->admin) return err->code;
    sl_info("agent", "pages at http://%s:%u/", app->service->http.host, sl_admin_port(app->admin));
    return 0;
}

static void on_give_back(void *arg)
{
    sl_app *app = arg;
    if (!app->forgotten) sl_memory_forget_code();
    app->forgotten = true;
    sl_memory_give_back();
}

/* Before what may take long: who is told to end meanwhile ends in order. */
static void take_signals(sl_app *app)
{
    app->signals[0] = sl_signal_new(app->main, SIGTERM, on_terminate, app);
    app->signals[1] = sl_signal_new(app->main, SIGINT, on_terminate, app);
    app->signals[2] = sl_signal_new(app->main, SIGHUP, on_hangup, app);
}

static int start_parts(sl_app *app, const sl_app_conf *conf, sl_err *err)
{
    int rc = lock_data_dir(app, err);
    if (rc < 0) return rc;
    take_signals(app);
    start_loops(app);
    app->give_back = sl_timer_new(app->main, on_give_back, app);
    sl_timer_start(app->give_back, GIVE_BACK_NS, GIVE_BACK_NS);
    app->topology = sl_topology_new(conf->config, &app->context, app->main, on_all_read, app);
    rc = sl_topology_open_pipelines(app->topology, err);
    if (rc < 0) return rc;
    make_reload(app, conf);
    rc = start_admin(app, err);
    if (rc < 0) return rc;
    rc = sl_topology_start_inputs(app->topology, err);
    sl_memory_forget_code();
    return rc;
}

sl_app *sl_app_start(const sl_app_conf *conf, sl_err *err)
{
    signal(SIGPIPE, SIG_IGN);
    sl_app *app = sl_calloc(1, sizeof *app);
    app->service = &conf->config->service;
    app->shutdown_timeout_ns = app->service->shutdown_timeout_ns;
    app->context = (sl_agent_context){.service = app->service, .once = conf->once};
    app->lock_fd = -1;
    app->main = sl_loop_main_new();
    if (start_parts(app, conf, err) == 0) return app;
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

static bool delivered_by(sl_pipeline *pipeline)
{
    const sl_pipeline_ledger *p = sl_pipeline_ledger_of(pipeline);
    if (!read_all(pipeline) || sl_drops_total(&p->dropped) || sl_ledger_get(&p->dead_lettered)) return false;
    for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++) {
        const sl_output_ledger *ledger = sl_pipeline_output_ledger(pipeline, o);
        if (sl_drops_total(&ledger->dropped) || sl_ledger_get(&ledger->dead_lettered)) return false;
    }
    return true;
}

static bool delivered_all(const sl_app *app)
{
    unsigned count = 0;
    sl_pipeline *const *pipelines = sl_app_pipelines(app, &count);
    for (unsigned i = 0; i < count; i++) {
        if (!delivered_by(pipelines[i])) return false;
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
    sl_topology_free(app->topology);
    sl_reload_free(app->reload);
    for (unsigned i = 0; i < app->context.n_workers; i++)
        sl_loop_free(app->workers[i]);
    for (size_t i = 0; i < SL_LEN(app->signals); i++)
        sl_signal_free(app->signals[i]);
    sl_timer_free(app->give_back);
    sl_loop_free(app->main);
    if (app->lock_fd >= 0) sl_fs_close(app->lock_fd);
    sl_free(app->workers);
    sl_free(app);
}

sl_pipeline *const *sl_app_pipelines(const sl_app *app, unsigned *count)
{
    *count = 0;
    return app->topology ? sl_topology_pipelines(app->topology, count) : NULL;
}

sl_loop *sl_app_main_loop(const sl_app *app)
{
    return app->main;
}
