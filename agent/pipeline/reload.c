/* reload.c: see the header. */
#include "reload.h"
#include "base/metrics.h"
#include <sluice/json.h>
#include <stdio.h>

static const char *const result_names[] = {
    [SL_RELOAD_NONE] = "none", [SL_RELOAD_UNCHANGED] = "unchanged", [SL_RELOAD_UNDER_WAY] = "under_way",
    [SL_RELOAD_DONE] = "done", [SL_RELOAD_REFUSED] = "refused",     [SL_RELOAD_FAILED] = "failed",
    [SL_RELOAD_BUSY] = "busy",
};

static const char *const difference_names[] = {
    [SL_KEPT] = "kept", [SL_CHANGED] = "changed", [SL_ADDED] = "added", [SL_REMOVED] = "removed"};

struct sl_reload {
    sl_reload_conf conf;
    sl_reload_result result;
    int64_t at_ns;                          /* wall time */
    sl_buf names[SL_LEN(difference_names)]; /* of pipelines: `"a","b"` */
    sl_buf reason;
    bool again;              /* a signal came while one was under way */
    sl_service_conf service; /* of the configuration that is being taken up; only what take_service() takes */
    sl_counter *counts[SL_RELOAD_BUSY + 1]; /* NULL: no end */
};

/* ---- what came of it ---- */

static void set_result(sl_reload *reload, sl_reload_result result)
{
    reload->result = result;
    reload->at_ns = sl_clock_wall_ns();
    if (reload->counts[result]) sl_counter_add(reload->counts[result], 1);
}

static void forget_last(sl_reload *reload)
{
    for (size_t i = 0; i < SL_LEN(reload->names); i++)
        sl_buf_clear(&reload->names[i]);
    sl_buf_clear(&reload->reason);
}

static void note_difference(void *arg, const char *pipeline, sl_difference difference)
{
    sl_buf *names = &((sl_reload *)arg)->names[difference];
    if (names->len) sl_buf_append_char(names, ',');
    sl_json_write_string(names, sl_span_of(pipeline));
}

void sl_reload_write(const sl_reload *reload, sl_buf *out)
{
    sl_buf_printf(out, "{\"result\":\"%s\",\"unix_time\":%lld", result_names[reload->result],
                  (long long)(reload->at_ns / SL_NS_PER_S));
    for (size_t i = 0; i < SL_LEN(difference_names); i++)
        sl_buf_printf(out, ",\"%s\":[" SL_SPAN_FMT "]", difference_names[i], (int)reload->names[i].len,
                      reload->names[i].ptr);
    sl_buf_append_cstr(out, ",\"reason\":");
    sl_json_write_string(out, sl_buf_span(&reload->reason));
    sl_buf_append_char(out, '}');
}

/* ---- refusals ---- */

/* The log has no lines within a line. */
static void log_lines(sl_log_level level, sl_span text)
{
    for (size_t from = 0; from < text.len;) {
        const char *end = memchr(text.ptr + from, '\n', text.len - from);
        size_t len = end ? (size_t)(end - text.ptr) - from : text.len - from;
        if (len) sl_log(level, "config", "%.*s", (int)len, text.ptr + from);
        from += len + 1;
    }
}

/* said: in the log; the reason may say more, and is set by then. */
static sl_reload_result refuse(sl_reload *reload, const char *said)
{
    if (!reload->reason.len) sl_buf_append_cstr(&reload->reason, said);
    set_result(reload, SL_RELOAD_REFUSED);
    sl_error("agent", "not reloaded, what is at work stays: %s", said);
    return SL_RELOAD_REFUSED;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The option of `service` that differs and can't while the agent works, or NULL. */
static const char *find_fixed(const sl_service_conf *a, const sl_service_conf *b)
{
    if (!is_same_text(a->data_dir, b->data_dir)) return "data_dir";
    if (a->http.on != b->http.on || !is_same_text(a->http.host, b->http.host) || a->http.port != b->http.port)
        return "http";
    return a->workers != b->workers ? "workers" : NULL;
}

static sl_config *load(sl_reload *reload)
{
    sl_problems *problems = sl_problems_new();
    sl_config *config = sl_config_load(reload->conf.paths, reload->conf.n_paths, problems);
    sl_buf text = SL_BUF_NONE;
    sl_problems_print(problems, &text);
    log_lines(config ? SL_LOG_WARN : SL_LOG_ERROR, sl_buf_span(&text));
    if (!config) sl_buf_append_span(&reload->reason, sl_buf_span(&text));
    sl_buf_release(&text);
    sl_problems_free(problems);
    return config;
}

/* ---- asking ---- */

static void ask_again(void *arg)
{
    sl_reload_signal(arg);
}

static void on_changed(void *arg, const sl_err *err)
{
    sl_reload *reload = arg;
    if (err) {
        sl_buf_append_cstr(&reload->reason, err->text);
        set_result(reload, SL_RELOAD_FAILED);
        sl_error("agent", "not reloaded, what was at work before is again: %s", err->text);
    } else {
        reload->conf.take_service(reload->conf.arg, &reload->service);
        set_result(reload, SL_RELOAD_DONE);
        sl_info("agent", "the configuration is reloaded");
    }
    /* Not from within the change that ends here. */
    if (reload->again) sl_loop_call(reload->conf.main, ask_again, reload);
    reload->again = false;
}

static sl_reload_result begin(sl_reload *reload, sl_config *config)
{
    reload->service = config->service;
    if (!sl_topology_compare(reload->conf.topology, config, note_difference, reload)) {
        reload->conf.take_service(reload->conf.arg, &config->service);
        sl_config_free(config);
        set_result(reload, SL_RELOAD_UNCHANGED);
        sl_info("agent", "reloaded: no pipeline has changed");
        return SL_RELOAD_UNCHANGED;
    }
    const sl_buf *names = reload->names;
    sl_info("agent", "reloading: changed [%.*s], added [%.*s], removed [%.*s], kept [%.*s]",
            (int)names[SL_CHANGED].len, names[SL_CHANGED].ptr, (int)names[SL_ADDED].len, names[SL_ADDED].ptr,
            (int)names[SL_REMOVED].len, names[SL_REMOVED].ptr, (int)names[SL_KEPT].len, names[SL_KEPT].ptr);
    set_result(reload, SL_RELOAD_UNDER_WAY);
    sl_topology_change(reload->conf.topology, config, on_changed, reload);
    return SL_RELOAD_UNDER_WAY;
}

sl_reload_result sl_reload_ask(sl_reload *reload)
{
    if (!sl_topology_may_change(reload->conf.topology)) return SL_RELOAD_BUSY;
    forget_last(reload);
    if (reload->conf.context->once) return refuse(reload, "with --once the configuration is read once");
    sl_config *config = load(reload);
    if (!config) return refuse(reload, "the new configuration has errors");
    const char *fixed = find_fixed(reload->conf.context->service, &config->service);
    if (!fixed) return begin(reload, config);
    sl_config_free(config);
    char reason[100];
    snprintf(reason, sizeof reason, "`service.%s` has changed, which takes a restart of the agent", fixed);
    return refuse(reload, reason);
}

void sl_reload_signal(sl_reload *reload)
{
    if (sl_reload_ask(reload) != SL_RELOAD_BUSY) return;
    reload->again = reload->result == SL_RELOAD_UNDER_WAY;
    if (!reload->again) sl_warn("agent", "not reloaded: the agent starts or ends");
}

/* ---- life ---- */

sl_reload *sl_reload_new(const sl_reload_conf *conf)
{
    sl_reload *reload = sl_calloc(1, sizeof *reload);
    reload->conf = *conf;
    static const sl_reload_result ends[] = {SL_RELOAD_UNCHANGED, SL_RELOAD_DONE, SL_RELOAD_REFUSED,
                                            SL_RELOAD_FAILED};
    for (size_t i = 0; i < SL_LEN(ends); i++) {
        const char *labels[] = {"result", result_names[ends[i]], NULL};
        reload->counts[ends[i]] =
            sl_metrics_new(reload, SL_METRIC_COUNTER, "sluice_reloads_total",
                           "Reloads of the configuration, by what came of them.", labels);
    }
    return reload;
}

void sl_reload_free(sl_reload *reload)
{
    if (!reload) return;
    sl_metrics_retire(reload);
    for (size_t i = 0; i < SL_LEN(reload->names); i++)
        sl_buf_release(&reload->names[i]);
    sl_buf_release(&reload->reason);
    sl_free(reload);
}
