/* admin.c: which page is which. Every page is made anew from the counters at each request. */
#include "admin.h"
#include "base/metrics.h"
#include "net/http_server.h"
#include <sluice/json.h>

struct sl_admin {
    sl_http_server *server;
    const sl_topology *topology;
    sl_reload *reload;
    bool local; /* only this machine can ask */
    int64_t started_ns;
};

static void live_page(sl_admin *admin, sl_http_reply *reply)
{
    reply->content_type = "application/json";
    sl_buf_printf(&reply->body, "{\"live\":true,\"version\":\"%s\",\"uptime_seconds\":%lld}\n",
                  SLUICE_VERSION, (long long)((sl_clock_mono_ns() - admin->started_ns) / SL_NS_PER_S));
}

static bool append_state(sl_buf *out, const char *kind, const char *pipeline, const char *name,
                         const char *state)
{
    bool ok = strcmp(state, "ok") == 0;
    if (out->ptr[out->len - 1] != '[') sl_buf_append_char(out, ',');
    sl_buf_printf(out, "{\"kind\":\"%s\",\"pipeline\":\"%s\",\"name\":\"%s\",\"ok\":%s,\"state\":", kind,
                  pipeline, name, ok ? "true" : "false");
    sl_json_write_string(out, sl_span_of(state));
    sl_buf_append_char(out, '}');
    return ok;
}

/* 200 when every component works, 503 when one does not; each with its state and why. */
static void ready_page(sl_admin *admin, sl_http_reply *reply)
{
    char state[SL_ERR_TEXT_MAX];
    bool ready = true;
    unsigned count;
    sl_pipeline *const *pipelines = sl_topology_pipelines(admin->topology, &count);
    sl_buf parts = SL_BUF_NONE;
    sl_buf_append_char(&parts, '[');
    for (unsigned i = 0; i < count; i++) {
        sl_pipeline *pipeline = pipelines[i];
        const char *name = sl_pipeline_name(pipeline);
        sl_pipeline_journal_status(pipeline, state, sizeof state);
        ready = append_state(&parts, "journal", name, name, state) && ready;
        for (unsigned in = 0; in < sl_pipeline_input_count(pipeline); in++) {
            sl_pipeline_input_status(pipeline, in, state, sizeof state);
            ready = append_state(&parts, "input", name, sl_pipeline_input_name(pipeline, in), state) && ready;
        }
        for (unsigned o = 0; o < sl_pipeline_output_count(pipeline); o++) {
            sl_pipeline_output_status(pipeline, o, state, sizeof state);
            ready =
                append_state(&parts, "output", name, sl_pipeline_output_name(pipeline, o), state) && ready;
        }
    }
    reply->status = ready ? 200 : 503;
    reply->content_type = "application/json";
    sl_buf_printf(&reply->body, "{\"ready\":%s,\"components\":" SL_SPAN_FMT "]}\n", ready ? "true" : "false",
                  (int)parts.len, parts.ptr);
    sl_buf_release(&parts);
}

static void metrics_page(sl_admin *admin, sl_http_reply *reply)
{
    unsigned count;
    sl_pipeline *const *pipelines = sl_topology_pipelines(admin->topology, &count);
    reply->content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    sl_admin_write_ledger_metrics(&reply->body, pipelines, count);
    sl_metrics_write(&reply->body);
    sl_buf_append_cstr(&reply->body, "# EOF\n");
}

static void ledger_page(sl_admin *admin, sl_http_reply *reply)
{
    unsigned count;
    sl_pipeline *const *pipelines = sl_topology_pipelines(admin->topology, &count);
    reply->content_type = "application/json";
    sl_admin_write_ledger(&reply->body, pipelines, count);
    sl_buf_append_char(&reply->body, '\n');
}

static void reload_page(sl_admin *admin, sl_http_reply *reply)
{
    reply->content_type = "application/json";
    sl_reload_write(admin->reload, &reply->body);
    sl_buf_append_char(&reply->body, '\n');
}

/* Answered before the change is through: what came of it is read with GET. */
static void reload_action(sl_admin *admin, sl_http_reply *reply)
{
    static const int statuses[] = {[SL_RELOAD_UNCHANGED] = 200,
                                   [SL_RELOAD_UNDER_WAY] = 202,
                                   [SL_RELOAD_REFUSED] = 422,
                                   [SL_RELOAD_BUSY] = 409};
    if (!admin->local) {
        reply->status = 403;
        sl_buf_append_cstr(&reply->body, "`service.http` is open to other machines, which may not change "
                                         "anything here: use SIGHUP\n");
        return;
    }
    reply->status = statuses[sl_reload_ask(admin->reload)];
    reload_page(admin, reply);
}

static const struct page {
    const char *path;
    void (*get)(sl_admin *admin, sl_http_reply *reply);
    void (*post)(sl_admin *admin, sl_http_reply *reply); /* NULL: not allowed */
} pages[] = {
    {"/live", live_page, NULL},
    {"/ready", ready_page, NULL},
    {"/metrics", metrics_page, NULL},
    {"/api/v1/ledger", ledger_page, NULL},
    {"/api/v1/reload", reload_page, reload_action},
};

static void not_found(sl_http_reply *reply)
{
    reply->status = 404;
    sl_buf_append_cstr(&reply->body, "no such page; there are:");
    for (size_t i = 0; i < SL_LEN(pages); i++)
        sl_buf_printf(&reply->body, " %s", pages[i].path);
    sl_buf_append_char(&reply->body, '\n');
}

static void answer(sl_admin *admin, const struct page *page, sl_span method, sl_http_reply *reply)
{
    if (sl_span_is_cstr(method, "GET") || sl_span_is_cstr(method, "HEAD")) {
        page->get(admin, reply);
    } else if (page->post && sl_span_is_cstr(method, "POST")) {
        page->post(admin, reply);
    } else {
        reply->status = 405;
        sl_buf_printf(&reply->body, "only GET%s is answered here\n", page->post ? " and POST" : "");
    }
}

static void on_request(void *arg, sl_span method, sl_span path, sl_http_reply *reply)
{
    for (size_t i = 0; i < SL_LEN(pages); i++) {
        if (sl_span_is_cstr(path, pages[i].path)) {
            answer(arg, &pages[i], method, reply);
            return;
        }
    }
    not_found(reply);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

sl_admin *sl_admin_new(sl_loop *loop, const sl_service_conf *service, const sl_topology *topology,
                       sl_reload *reload, sl_err *err)
{
    sl_admin *admin = sl_calloc(1, sizeof *admin);
    admin->topology = topology;
    admin->reload = reload;
    admin->local = is_loopback(service->http.host);
    admin->started_ns = sl_clock_mono_ns();
    admin->server = sl_http_server_new(loop, service->http.host, service->http.port, on_request, admin, err);
    if (admin->server) return admin;
    sl_free(admin);
    return NULL;
}

uint16_t sl_admin_port(const sl_admin *admin)
{
    return sl_http_server_port(admin->server);
}

void sl_admin_free(sl_admin *admin)
{
    if (!admin) return;
    sl_http_server_free(admin->server);
    sl_free(admin);
}
