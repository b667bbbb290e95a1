/* es_encode.c: records to a bulk body: an action line, the record's line, for each.
 *
 * Nothing that comes from a record can end a line or forge an action: values in action lines are escaped as
 * JSON strings, index names are held to the rules, and a record's own text never holds a newline.
 */
#include "es_int.h"

static const char *const action_names[] = {"create", "index", "update"};

/* Only what tells each item's fate: some 26 bytes an item instead of 200. `status` keeps every item in its
 * place. */
#define FILTER_PATH                                                                                          \
    "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by."     \
    "type,"                                                                                                  \
    "items.*.error.caused_by.reason"

static void append_url_part(sl_buf *out, sl_span text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c && strchr("-._~", c));
        if (plain) {
            sl_buf_append_char(out, (char)c);
            continue;
        }
        sl_buf_append_char(out, '%');
        sl_buf_append_char(out, hex[c >> 4]);
        sl_buf_append_char(out, hex[c & 15]);
    }
}

/* A template without times and fields. */
static void append_constant(es_output *es, const sl_template *tpl, sl_buf *out)
{
    sl_buf_clear(&es->value);
    es_constant_write(tpl, &es->value);
    append_url_part(out, sl_buf_span(&es->value));
}

static void write_path(es_output *es, sl_request *req)
{
    if (es->index.constant) {
        sl_buf_append_char(&req->path, '/');
        append_constant(es, es->index.tpl, &req->path);
    }
    sl_buf_append_cstr(&req->path, "/_bulk?" FILTER_PATH);
    const sl_template *pipeline = es->conf->pipeline;
    if (!pipeline || !sl_template_is_constant(pipeline)) return;
    sl_buf_append_cstr(&req->path, "&pipeline=");
    append_constant(es, pipeline, &req->path);
}

/* ---- the action line ---- */

static void write_id(sl_id id, sl_buf *out)
{
    sl_buf_reserve(out, SL_ID_SHORT_LEN);
    sl_id_format_short(id, out->ptr + out->len);
    out->len += SL_ID_SHORT_LEN;
}

/* The text of a template for this record in es->value; false when there is none. */
static bool write_value(es_output *es, const sl_template *tpl)
{
    sl_buf_clear(&es->value);
    return sl_template_write(tpl, &es->reader, &es->value) == 0 && es->value.len > 0;
}

static void write_record_id(es_output *es, const sl_record_ref *ref, sl_buf *out)
{
    if (es->conf->id && write_value(es, es->conf->id) && es->value.len <= ES_MAX_ID) {
        sl_json_write_escaped(out, sl_buf_span(&es->value));
        return;
    }
    if (es->conf->id) sl_counter_add(es->id_fallbacks, 1);
    write_id(sl_record_id(ref->batch, ref->rec), out);
}

static void write_member(es_output *es, const char *name, const sl_template *tpl, sl_buf *out)
{
    if (!tpl || !write_value(es, tpl)) return;
    sl_buf_append_cstr(out, name);
    sl_json_write_string(out, sl_buf_span(&es->value));
}

static void write_action(es_output *es, const sl_record_ref *ref, sl_buf *out)
{
    const es_conf *conf = es->conf;
    sl_reader_set(&es->reader, (sl_batch *)(uintptr_t)ref->batch, (sl_record *)(uintptr_t)ref->rec);
    sl_buf_append_cstr(out, "{\"");
    sl_buf_append_cstr(out, action_names[conf->action]);
    sl_buf_append_cstr(out, "\":{");
    if (!es->index.constant) {
        sl_buf_append_cstr(out, "\"_index\":");
        sl_json_write_string(out, es_index_name(&es->index, &es->reader));
        sl_buf_append_char(out, ',');
    }
    sl_buf_append_cstr(out, "\"_id\":\"");
    write_record_id(es, ref, out);
    sl_buf_append_char(out, '"');
    write_member(es, ",\"routing\":", conf->routing, out);
    if (conf->pipeline && !sl_template_is_constant(conf->pipeline))
        write_member(es, ",\"pipeline\":", conf->pipeline, out);
    sl_buf_append_cstr(out, "}}\n");
}

/* Nothing but the id differs between the records. */
static bool is_plain(const es_output *es)
{
    const es_conf *conf = es->conf;
    bool pipeline = conf->pipeline && !sl_template_is_constant(conf->pipeline);
    return es->index.constant && !conf->id && !conf->routing && !pipeline && conf->action == ES_CREATE;
}

static void write_plain_action(const sl_record_ref *ref, sl_buf *out)
{
    sl_buf_append_span(out, SL_SPAN("{\"create\":{\"_id\":\""));
    write_id(sl_record_id(ref->batch, ref->rec), out);
    sl_buf_append_span(out, SL_SPAN("\"}}\n"));
}

/* ---- the record's line ---- */

static void write_document(const es_conf *conf, const sl_record_ref *ref, sl_buf *out)
{
    if (conf->action == ES_UPDATE) sl_buf_append_cstr(out, "{\"doc\":");
    sl_record_write(ref->batch, ref->rec, out);
    if (conf->action == ES_UPDATE) sl_buf_append_cstr(out, ",\"doc_as_upsert\":true}");
    sl_buf_append_char(out, '\n');
}

void es_encode(void *self, sl_request *req)
{
    es_output *es = self;
    bool plain = is_plain(es);
    req->content_type = "application/x-ndjson";
    write_path(es, req);
    for (uint32_t i = 0; i < req->count; i++) {
        const sl_record_ref *ref = &req->recs[i];
        if (plain)
            write_plain_action(ref, &req->body);
        else
            write_action(es, ref, &req->body);
        write_document(es->conf, ref, &req->body);
    }
}
