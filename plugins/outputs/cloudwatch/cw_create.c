/* cw_create.c: groups and streams that are missing are created, when a request for them was refused.
 *
 * CreateLogStream; when that says that the group is missing, CreateLogGroup, PutRetentionPolicy where one is
 * wanted, and CreateLogStream again. That something is there already is as good. One creation a place is under
 * way, however many requests wait for it; where it fails, they are sent again after their back-off, are refused
 * again, and so it is tried again: no timer of its own.
 */
#include "cw_int.h"

typedef enum step { STEP_STREAM, STEP_GROUP, STEP_RETENTION } step;

struct cw_creation {
    cw_creation *next;
    cw_output *cw;
    char *key;
    size_t key_len;
    sl_span group, stream; /* in key */
    step step;
    bool group_tried;
};

static const char *const actions[] = {"CreateLogStream", "CreateLogGroup", "PutRetentionPolicy"};
static const char *const class_names[] = {"STANDARD", "INFREQUENT_ACCESS", "DELIVERY"};

/* ---- bodies ---- */

static void write_tags(const sl_list *tags, sl_buf *out)
{
    for (size_t i = 0; i < tags->count; i++) {
        const sl_opt_pair *tag = &SL_LIST_AT(*tags, sl_opt_pair, i);
        sl_buf_append_cstr(out, i ? "," : ",\"tags\":{");
        sl_json_write_string(out, tag->key);
        sl_buf_append_char(out, ':');
        sl_json_write_string(out, tag->value);
    }
    if (tags->count) sl_buf_append_char(out, '}');
}

static void write_group_options(const cw_create_conf *conf, sl_buf *out)
{
    if (conf->log_group_class != CW_CLASS_STANDARD)
        sl_buf_printf(out, ",\"logGroupClass\":\"%s\"", class_names[conf->log_group_class]);
    if (conf->kms_key_id.len) {
        sl_buf_append_cstr(out, ",\"kmsKeyId\":");
        sl_json_write_string(out, conf->kms_key_id);
    }
    write_tags(&conf->tags, out);
}

static void write_body(const cw_creation *c, sl_buf *out)
{
    const cw_create_conf *conf = &c->cw->conf->create;
    sl_buf_clear(out);
    sl_buf_append_cstr(out, "{\"logGroupName\":");
    sl_json_write_string(out, c->group);
    if (c->step == STEP_GROUP) write_group_options(conf, out);
    if (c->step == STEP_RETENTION)
        sl_buf_printf(out, ",\"retentionInDays\":%lld", (long long)conf->retention_days);
    if (c->step == STEP_STREAM) {
        sl_buf_append_cstr(out, ",\"logStreamName\":");
        sl_json_write_string(out, c->stream);
    }
    sl_buf_append_char(out, '}');
}

/* ---- the end ---- */

static void free_creation(cw_creation *c)
{
    sl_free(c->key);
    sl_free(c);
}

static void end_creation(cw_creation *c)
{
    cw_creation **at = &c->cw->creations;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free_creation(c);
}

static void done(cw_creation *c)
{
    sl_output_retry_now(c->cw->out, (sl_span){c->key, c->key_len});
    end_creation(c);
}

static void describe(const cw_creation *c, const sl_answer *answer, const cw_error *error, sl_err *err)
{
    const char *action = actions[c->step];
    if (answer->transport != SL_TRANSPORT_OK)
        sl_err_set(err, SL_E_NETWORK, "%s for " SL_SPAN_FMT ": %s", action, SL_SPAN_ARG(c->group),
                   answer->error);
    else
        sl_err_set(err, SL_E_REJECTED, "%s for " SL_SPAN_FMT ": %s (status %d): " SL_SPAN_FMT, action,
                   SL_SPAN_ARG(c->group), error->type[0] ? error->type : "no reason known", answer->status,
                   SL_SPAN_ARG(error->message));
}

static void failed(cw_creation *c, const sl_answer *answer, const cw_error *error)
{
    sl_err err = SL_ERR_NONE;
    describe(c, answer, error, &err);
    sl_log_limited(&c->cw->create_limit, SL_LOG_WARN, sl_output_name(c->cw->out), "%s", err.text);
    sl_output_trouble(c->cw->out, err.text);
    end_creation(c);
}

/* ---- steps ---- */

static void ask(cw_creation *c, step next);

static void group_is_there(cw_creation *c)
{
    if (c->cw->conf->create.stream)
        ask(c, STEP_STREAM);
    else
        done(c);
}

static void group_created(cw_creation *c)
{
    sl_counter_add(c->cw->groups_created, 1);
    sl_info(sl_output_name(c->cw->out), "created the log group " SL_SPAN_FMT, SL_SPAN_ARG(c->group));
    if (c->cw->conf->create.retention_days)
        ask(c, STEP_RETENTION);
    else
        group_is_there(c);
}

static void step_succeeded(cw_creation *c)
{
    switch (c->step) {
    case STEP_GROUP: group_created(c); break;
    case STEP_RETENTION: group_is_there(c); break;
    case STEP_STREAM:
        sl_counter_add(c->cw->streams_created, 1);
        done(c);
        break;
    }
}

/* The group is there, and records can go there: they are not held back. */
static void retention_failed(cw_creation *c, const sl_answer *answer, const cw_error *error)
{
    sl_err err = SL_ERR_NONE;
    describe(c, answer, error, &err);
    sl_error(sl_output_name(c->cw->out), "%s: its events do not expire until the retention is set by hand",
             err.text);
    group_is_there(c);
}

/* Somebody else was faster; or the service does not know yet what it has, so that waiting for the back-off is
 * better than asking at once. */
static void was_there(cw_creation *c)
{
    if (c->step == STEP_GROUP)
        group_is_there(c);
    else
        end_creation(c);
}

static void on_answer(void *self, const sl_answer *answer, void *arg)
{
    cw_creation *c = arg;
    cw_output *cw = self;
    cw_error error = {{0}, SL_SPAN_NONE};
    if (answer->transport == SL_TRANSPORT_OK && answer->status >= 200 && answer->status < 300) {
        step_succeeded(c);
        return;
    }
    if (answer->transport == SL_TRANSPORT_OK) cw_error_read(answer->body, &cw->tape, &error);
    bool no_group = strcmp(error.type, "ResourceNotFoundException") == 0;
    if (strcmp(error.type, "ResourceAlreadyExistsException") == 0)
        was_there(c);
    else if (c->step == STEP_STREAM && no_group && !c->group_tried && cw->conf->create.group)
        ask(c, STEP_GROUP);
    else if (c->step == STEP_RETENTION)
        retention_failed(c, answer, &error);
    else
        failed(c, answer, &error);
}

static void ask(cw_creation *c, step next)
{
    cw_output *cw = c->cw;
    c->step = next;
    if (next == STEP_GROUP) c->group_tried = true;
    write_body(c, &cw->text);
    sl_output_http_call(cw->out, &(sl_output_call){.method = "POST",
                                                   .path = "/",
                                                   .body = sl_buf_span(&cw->text),
                                                   .content_type = CW_CONTENT_TYPE,
                                                   .action = actions[next],
                                                   .answered = on_answer,
                                                   .arg = c});
}

/* ---- beginning ---- */

static bool is_under_way(const cw_output *cw, sl_span key)
{
    for (const cw_creation *c = cw->creations; c; c = c->next) {
        if (sl_span_is((sl_span){c->key, c->key_len}, key)) return true;
    }
    return false;
}

void cw_create(cw_output *cw, sl_span key, bool group_missing)
{
    if (is_under_way(cw, key)) return;
    cw_creation *c = sl_calloc(1, sizeof *c);
    *c = (cw_creation){
        .cw = cw, .key = sl_strndup(key.ptr, key.len), .key_len = key.len, .next = cw->creations};
    cw->creations = c;
    sl_span reason;
    cw_place_split((sl_span){c->key, c->key_len}, &c->group, &c->stream, &reason);
    ask(c, group_missing ? STEP_GROUP : STEP_STREAM);
}

void cw_create_release(cw_output *cw)
{
    while (cw->creations) {
        cw_creation *c = cw->creations;
        cw->creations = c->next;
        free_creation(c);
    }
}
