/* es_setup.c: the first words with a server: what it is, and what is to be installed there.
 *
 * GET / tells product and version. Who may not ask it (403), or what stands before a server that does not
 * answer it as Elasticsearch would, is taken for a recent one: it may still take bulk requests. What is
 * installed is left alone when it is there, unless `overwrite` is on. A server without lifecycle policies is
 * told in the log and goes on without.
 */
#include "es_int.h"

enum { STEP_PROBE, STEP_POLICY, STEP_TEMPLATE, STEP_DONE };

static void do_step(es_output *es);

static void step_done(es_output *es)
{
    es->step++;
    do_step(es);
}

/* ---- asking ---- */

static const char *advice(int status)
{
    if (status == 401) return ": check `auth`";
    return status >= 300 && status < 400 ? ": a redirect, which is not followed: put its target into `url`"
                                         : "";
}

static void not_ready(es_output *es, const sl_answer *answer, const char *what)
{
    sl_err why = SL_ERR_NONE;
    if (answer->transport != SL_TRANSPORT_OK)
        sl_err_set(&why, SL_E_NETWORK, "%s: no answer from " SL_SPAN_FMT ": %s", what,
                   SL_SPAN_ARG(answer->url), answer->error);
    else
        sl_err_set(&why, SL_E_REJECTED, "%s: status %d from " SL_SPAN_FMT "%s", what, answer->status,
                   SL_SPAN_ARG(answer->url), advice(answer->status));
    sl_output_not_ready(es->out, &why);
}

static bool is_good(const sl_answer *answer)
{
    return answer->transport == SL_TRANSPORT_OK && answer->status >= 200 && answer->status < 300;
}

static bool is_status(const sl_answer *answer, int status)
{
    return answer->transport == SL_TRANSPORT_OK && answer->status == status;
}

/* ---- who is there ---- */

static bool find_text(sl_span body, const sl_tape *tape, const char *path_text, sl_span *out)
{
    sl_path *path = sl_path_parse(sl_span_of(path_text), NULL);
    uint32_t at = sl_path_find(path, body, tape->tok);
    sl_path_free(path);
    if (!at || tape->tok[at].type == SL_JSON_OBJECT || tape->tok[at].type == SL_JSON_ARRAY) return false;
    *out = (sl_span){body.ptr + tape->tok[at].off, tape->tok[at].len};
    return true;
}

static bool read_number(sl_span *text, int *out)
{
    int value = 0;
    size_t len = 0;
    for (; len < text->len && len < 4 && text->ptr[len] >= '0' && text->ptr[len] <= '9'; len++)
        value = value * 10 + (text->ptr[len] - '0');
    if (!len) return false;
    *out = value;
    *text = (sl_span){text->ptr + len, text->len - len};
    return true;
}

static bool read_version(sl_span number, es_server *server)
{
    if (!read_number(&number, &server->major) || !number.len || number.ptr[0] != '.') return false;
    number = (sl_span){number.ptr + 1, number.len - 1};
    return read_number(&number, &server->minor);
}

static bool read_server(sl_span body, const sl_tape *tape, es_server *server)
{
    sl_span number, distribution = SL_SPAN_NONE;
    if (!find_text(body, tape, "version.number", &number) || !read_version(number, server)) return false;
    find_text(body, tape, "version.distribution", &distribution);
    server->product = sl_span_is(distribution, SL_SPAN("opensearch")) ? ES_OPENSEARCH : ES_ELASTICSEARCH;
    return true;
}

bool es_server_read(sl_span body, es_server *server)
{
    *server = (es_server){.product = ES_UNKNOWN};
    sl_tape tape = {0};
    bool is = sl_json_index(&tape, body).error == SL_JSON_OK && tape.tok[0].type == SL_JSON_OBJECT &&
              read_server(body, &tape, server);
    sl_tape_release(&tape);
    if (!is) *server = (es_server){.product = ES_UNKNOWN};
    return is;
}

static bool is_before(const es_server *server, int major, int minor)
{
    return server->product == ES_ELASTICSEARCH &&
           (server->major < major || (server->major == major && server->minor < minor));
}

/* 0, or why this server will not do. */
static int check_server(const es_output *es, sl_err *why)
{
    const es_server *server = &es->server;
    const char *needs = NULL;
    if (is_before(server, 7, 0))
        needs = "sluice needs 7.0 or later";
    else if (es->conf->data_stream && is_before(server, 7, 9))
        needs = "`data_stream` needs 7.9 or later";
    else if (es->conf->install.template.len && is_before(server, 7, 8))
        needs = "`install.template` needs 7.8 or later";
    if (!needs) return 0;
    return sl_err_set(why, SL_E_VERSION, "the server is Elasticsearch %d.%d: %s", server->major,
                      server->minor, needs);
}

/* Each outage and each failure to install ends in a new probe: what is the same as before is not told again.
 */
static void tell_server(const es_output *es, const es_server *before, const sl_answer *answer)
{
    const es_server *now = &es->server;
    if (now->product == before->product && now->major == before->major && now->minor == before->minor) return;
    sl_info(sl_output_name(es->out), "%s %d.%d at " SL_SPAN_FMT,
            now->product == ES_OPENSEARCH ? "OpenSearch" : "Elasticsearch", now->major, now->minor,
            SL_SPAN_ARG(answer->url));
}

static void on_probed(void *self, const sl_answer *answer, void *arg)
{
    (void)arg;
    es_output *es = self;
    bool may_not_ask = answer->transport == SL_TRANSPORT_OK && answer->status >= 400 &&
                       answer->status < 500 && answer->status != 401 && answer->status != 429;
    if (!is_good(answer) && !may_not_ask) {
        not_ready(es, answer, "cannot ask for the server's version");
        return;
    }
    es_server before = es->server;
    es->server = (es_server){.product = ES_UNKNOWN};
    if (is_good(answer) && es_server_read(answer->body, &es->server)) tell_server(es, &before, answer);
    sl_err why = SL_ERR_NONE;
    if (check_server(es, &why) < 0)
        sl_output_not_ready(es->out, &why);
    else
        step_done(es);
}

/* ---- installing ---- */

typedef struct thing {
    const char *what, *path; /* path: printf, with the name */
    const sl_buf *body;
} thing;

static bool is_opensearch(const es_output *es)
{
    return es->server.product == ES_OPENSEARCH;
}

static thing thing_of(const es_output *es)
{
    if (es->step == STEP_TEMPLATE)
        return (thing){"the index template", "/_index_template/" SL_SPAN_FMT, &es->conf->install.template};
    return (thing){"the lifecycle policy",
                   is_opensearch(es) ? "/_plugins/_ism/policies/" SL_SPAN_FMT : "/_ilm/policy/" SL_SPAN_FMT,
                   &es->conf->install.policy};
}

static void write_thing_path(const es_output *es, sl_buf *out)
{
    sl_buf_clear(out);
    sl_buf_printf(out, thing_of(es).path, SL_SPAN_ARG(es->conf->install.name));
}

/* The plugin that would keep policies is not there: "no handler found for uri", or an API that this offer
 * lacks. */
static bool has_no_such_api(const es_output *es, const sl_answer *answer)
{
    if (es->step != STEP_POLICY || answer->transport != SL_TRANSPORT_OK) return false;
    if (answer->status == 404 || answer->status == 405 || answer->status == 410) return true;
    sl_span says = SL_SPAN("no handler found");
    return answer->status == 400 && sl_span_find(answer->body, says, 0) < answer->body.len;
}

static void on_put(void *self, const sl_answer *answer, void *arg)
{
    (void)arg;
    es_output *es = self;
    thing it = thing_of(es);
    if (is_good(answer)) {
        sl_info(sl_output_name(es->out), "installed %s " SL_SPAN_FMT, it.what,
                SL_SPAN_ARG(es->conf->install.name));
        step_done(es);
    } else if (is_status(answer, 409)) { /* somebody else was faster */
        step_done(es);
    } else if (has_no_such_api(es, answer)) {
        sl_warn(sl_output_name(es->out), "the server has no lifecycle policies: going on without");
        step_done(es);
    } else {
        es_item error;
        es_error_answer_read(answer->body, &error);
        sl_buf_clear(&es->text);
        sl_buf_printf(&es->text, "cannot install %s (" SL_SPAN_FMT ": " SL_SPAN_FMT ")", it.what,
                      SL_SPAN_ARG(error.type), SL_SPAN_ARG(error.reason));
        not_ready(es, answer, sl_buf_cstr(&es->text));
    }
}

/* OpenSearch replaces a policy only for who names the version that is there. */
static void append_seen_version(es_output *es, sl_span body)
{
    sl_tape tape = {0};
    sl_span seq_no, term;
    if (sl_json_index(&tape, body).error == SL_JSON_OK && tape.tok[0].type == SL_JSON_OBJECT &&
        find_text(body, &tape, "_seq_no", &seq_no) && find_text(body, &tape, "_primary_term", &term))
        sl_buf_printf(&es->text, "?if_seq_no=" SL_SPAN_FMT "&if_primary_term=" SL_SPAN_FMT,
                      SL_SPAN_ARG(seq_no), SL_SPAN_ARG(term));
    sl_tape_release(&tape);
}

static void on_looked(void *self, const sl_answer *answer, void *arg)
{
    (void)arg;
    es_output *es = self;
    bool there = is_good(answer);
    if (answer->transport != SL_TRANSPORT_OK || answer->status == 401 || answer->status == 429 ||
        answer->status >= 500) {
        not_ready(es, answer, "cannot look what is installed");
        return;
    }
    if (there && !es->conf->install.overwrite) {
        step_done(es);
        return;
    }
    write_thing_path(es, &es->text);
    if (there && es->step == STEP_POLICY && is_opensearch(es)) append_seen_version(es, answer->body);
    sl_output_http_call(es->out, &(sl_output_call){.method = "PUT",
                                                   .path = sl_buf_cstr(&es->text),
                                                   .body = sl_buf_span(thing_of(es).body),
                                                   .answered = on_put});
}

/* ---- the steps ---- */

/* A policy of the one product means nothing to the other. */
static bool policy_fits(es_output *es)
{
    sl_span policy = sl_buf_span(&es->conf->install.policy);
    bool states = sl_span_find(policy, SL_SPAN("\"states\""), 0) < policy.len;
    if (states == is_opensearch(es)) return true;
    sl_err why = SL_ERR_NONE;
    sl_err_set(&why, SL_E_CONFIG, "install.policy is a policy of %s, the server is %s",
               states ? "OpenSearch (it has `states`)" : "Elasticsearch (it has no `states`)",
               is_opensearch(es) ? "OpenSearch" : "Elasticsearch");
    sl_output_not_ready(es->out, &why);
    return false;
}

static void do_step(es_output *es)
{
    if (es->step == STEP_PROBE) {
        sl_output_http_call(es->out, &(sl_output_call){.method = "GET", .path = "/", .answered = on_probed});
        return;
    }
    if (es->step == STEP_DONE) {
        sl_output_ready(es->out);
        return;
    }
    if (!thing_of(es).body->len) {
        step_done(es);
        return;
    }
    if (es->step == STEP_POLICY && !policy_fits(es)) return;
    write_thing_path(es, &es->text);
    sl_output_http_call(
        es->out, &(sl_output_call){.method = "GET", .path = sl_buf_cstr(&es->text), .answered = on_looked});
}

void es_prepare(void *self)
{
    es_output *es = self;
    es->step = STEP_PROBE;
    do_step(es);
}
