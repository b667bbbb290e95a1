/* aws_search.c: walks through the phases of a search and sends what the sources want to know.
 *
 * An answer is copied, and looked at from a timer: there the client that brought it may go, and whoever hears of
 * the end may free the search.
 */
#include "aws_search.h"
#include "aws_answer.h"
#include "aws_sts.h"
#include "net/http_client.h"
#include <stdio.h>

/* Metadata services answer within milliseconds; where there are none, nobody does. */
#define LOCAL_TIMEOUT_NS   (2 * SL_NS_PER_S)
#define REMOTE_TIMEOUT_NS  (10 * SL_NS_PER_S)
#define CONNECT_TIMEOUT_NS (3 * SL_NS_PER_S)

typedef enum phase { REGION, REGION_OF_INSTANCE, CREDENTIALS, ROLES } phase;

static const sl_aws_source *const sources[] = {&sl_aws_source_options,   &sl_aws_source_environment,
                                               &sl_aws_source_profile,   &sl_aws_source_web_identity,
                                               &sl_aws_source_container, &sl_aws_source_imds};

struct sl_aws_search {
    sl_loop *loop;
    const sl_http_conf *http;
    void (*done)(void *arg, sl_aws_keys *keys, sl_span region, const sl_err *err);
    void *arg;
    sl_timer *turn;
    phase phase;
    size_t at, end; /* of sources */
    sl_aws_ask ask;
    sl_err tried; /* code 0: nothing yet; the reasons of those that gave none, one after another */
    /* the request under way */
    sl_http_client *client;
    sl_http_conf conf;
    sl_span shown;
    sl_answer answer; /* copied; body and error point into what follows */
    sl_buf body;
    char error[SL_ERR_TEXT_MAX];
};

/* ---- requests ---- */

static void on_answer(void *arg, const sl_answer *answer)
{
    sl_aws_search *search = arg;
    search->answer = *answer;
    sl_buf_append_span(&search->body, answer->body);
    search->answer.body = sl_buf_span(&search->body);
    snprintf(search->error, sizeof search->error, "%s", answer->error ? answer->error : "");
    search->answer.error = search->error;
    sl_timer_start(search->turn, 0, 0);
}

static void send_want(sl_aws_search *search)
{
    const sl_aws_want *want = &search->ask.want;
    search->shown = want->url;
    search->conf = (sl_http_conf){.url = {&search->shown, 1},
                                  .tls.verify = true,
                                  .timeout_ns = want->local ? LOCAL_TIMEOUT_NS : REMOTE_TIMEOUT_NS,
                                  .connect_timeout_ns = want->local ? LOCAL_TIMEOUT_NS : CONNECT_TIMEOUT_NS,
                                  .max_answer = SL_AWS_MAX_ANSWER};
    if (!want->local) {
        search->conf.proxy = search->http->proxy;
        search->conf.tls.ca = search->http->tls.ca;
    }
    search->client = sl_http_client_new(search->loop, &search->conf);
    sl_http_client_send(search->client, &(sl_http_send){.method = want->method,
                                                        .path = want->path,
                                                        .content_type = want->body.len ? SL_AWS_FORM : NULL,
                                                        .headers = want->headers.items,
                                                        .header_count = want->headers.count,
                                                        .body = sl_buf_span(&want->body),
                                                        .answered = on_answer,
                                                        .arg = search});
}

static void forget_request(sl_aws_search *search)
{
    sl_http_client_free(search->client);
    search->client = NULL;
    sl_aws_wipe_buf(&search->body);
    sl_aws_want_clear(&search->ask.want);
}

/* ---- phases ---- */

static const sl_aws_source *current(const sl_aws_search *search)
{
    if (search->ask.delegate) return search->ask.delegate;
    switch (search->phase) {
    case REGION: return &sl_aws_region_source;
    case REGION_OF_INSTANCE: return &sl_aws_imds_region_source;
    case CREDENTIALS: return sources[search->at];
    default: return &sl_aws_role_source;
    }
}

static void begin_source(sl_aws_search *search)
{
    search->ask.step = 0;
    search->ask.delegate = NULL;
    sl_aws_wipe_buf(&search->ask.kept);
}

/* A profile that was named is meant, also where the environment has keys. */
static bool is_left_out(const sl_aws_search *search)
{
    const sl_aws_conf *conf = search->ask.conf;
    return conf->credentials == SL_AWS_AUTO && conf->profile.len &&
           sources[search->at] == &sl_aws_source_environment;
}

static void note(sl_aws_search *search, const sl_err *err)
{
    sl_err *all = &search->tried;
    size_t len = strlen(all->text);
    snprintf(all->text + len, sizeof all->text - len, "%s%s", all->code ? "; " : "", err->text);
    all->code = err->code;
}

static void finish(sl_aws_search *search, sl_aws_keys *keys)
{
    if (!keys)
        sl_err_prefix(&search->tried,
                      search->phase <= REGION_OF_INSTANCE ? "no AWS region" : "no AWS credentials");
    search->done(search->arg, keys, keys ? search->ask.region : SL_SPAN_NONE, &search->tried);
}

/* True: there is a source to ask; false: the search has ended, and is gone maybe. */
static bool next_phase(sl_aws_search *search)
{
    bool roles_left = search->ask.role_count > 0;
    search->tried = (sl_err)SL_ERR_NONE;
    if (search->phase <= REGION_OF_INSTANCE) {
        search->phase = CREDENTIALS;
    } else if (roles_left) {
        search->phase = ROLES;
    } else {
        finish(search, &search->ask.keys);
        return false;
    }
    return true;
}

static bool next_source(sl_aws_search *search, int rc)
{
    if (search->phase == REGION && rc == SL_E_NOT_FOUND) {
        search->phase = REGION_OF_INSTANCE;
        return true;
    }
    if (search->phase == CREDENTIALS && rc == SL_E_NOT_FOUND && search->at + 1 < search->end) {
        search->at += 1;
        search->at += is_left_out(search);
        return true;
    }
    finish(search, NULL);
    return false;
}

static int add_option_role(sl_aws_search *search, sl_err *err)
{
    const sl_aws_assume_conf *role = &search->ask.conf->assume_role;
    if (search->phase != CREDENTIALS || !role->role_arn.len) return 0;
    return sl_aws_ask_role(&search->ask,
                           &(sl_aws_role){.arn = role->role_arn,
                                          .external_id = role->external_id,
                                          .session_name = role->session_name,
                                          .duration_ns = role->duration_ns},
                           err);
}

static int run_step(sl_aws_search *search, sl_err *err)
{
    const sl_aws_source *source = current(search);
    bool answered = search->client != NULL;
    int rc = answered ? sl_aws_answer_check(&search->answer, search->shown, err) : 0;
    if (rc == 0) {
        search->ask.answer = answered ? &search->answer : NULL;
        search->ask.now_ns = sl_clock_wall_ns();
        sl_aws_want_clear(&search->ask.want);
        rc = source->step(&search->ask, err);
    }
    if (rc == 0) rc = add_option_role(search, err);
    if (rc < 0 && rc != SL_E_AGAIN) sl_err_prefix(err, "%s", source->name);
    return rc;
}

/* A step, and those behind it that need no answer. */
static void on_turn(void *arg)
{
    sl_aws_search *search = arg;
    for (;;) {
        sl_err err = SL_ERR_NONE;
        int rc = run_step(search, &err);
        if (rc == SL_E_AGAIN) {
            sl_http_client_free(search->client);
            sl_aws_wipe_buf(&search->body);
            send_want(search);
            return;
        }
        forget_request(search);
        if (rc < 0) note(search, &err);
        if (rc < 0 ? !next_source(search, rc) : !next_phase(search)) return;
        begin_source(search);
    }
}

/* ---- begin and end ---- */

sl_aws_search *
sl_aws_search_new(sl_loop *loop, const sl_aws_conf *conf, const sl_http_conf *http, sl_span region,
                  void (*done)(void *arg, sl_aws_keys *keys, sl_span region, const sl_err *err), void *arg)
{
    sl_aws_search *search = sl_calloc(1, sizeof *search);
    *search = (sl_aws_search){.loop = loop, .http = http, .done = done, .arg = arg, .ask.conf = conf};
    search->phase = region.len ? CREDENTIALS : REGION;
    search->ask.region = region;
    search->at = conf->credentials == SL_AWS_AUTO ? 0 : (size_t)conf->credentials - 1;
    search->end = conf->credentials == SL_AWS_AUTO ? SL_LEN(sources) : search->at + 1;
    search->turn = sl_timer_new(loop, on_turn, search);
    sl_timer_start(search->turn, 0, 0);
    return search;
}

void sl_aws_search_free(sl_aws_search *search)
{
    if (!search) return;
    forget_request(search);
    sl_timer_free(search->turn);
    sl_aws_ask_release(&search->ask);
    sl_free(search);
}
