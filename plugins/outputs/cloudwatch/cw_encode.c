/* cw_encode.c: records of one stream to the body of a PutLogEvents.
 *
 * The engine has sorted them. What the service would refuse by its time or size is refused here, before it costs
 * a request; where the request is full by the service's own count, the rest leads the next one.
 */
#include "cw_int.h"
#include <stdio.h>

typedef struct encoding {
    cw_output *cw;
    sl_request *req;
    int64_t now_ns;
    uint32_t events;
    int64_t first_ms;
    uint64_t size;
} encoding;

/* ---- one event ---- */

static void refuse(const encoding *e, uint32_t i, const char *fmt, ...) SL_PRINTF(3, 4);
static void refuse(const encoding *e, uint32_t i, const char *fmt, ...)
{
    char text[SL_REASON_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    sl_request_refuse(e->req, i, (sl_span){text, kept});
}

/* The service's limits of time; false: refused. */
static bool is_in_time(const encoding *e, uint32_t i)
{
    int64_t time_ns = e->req->recs[i].rec->time_ns, max_age_ns = e->cw->conf->max_event_age_ns;
    if (time_ns < 0 || time_ns < e->now_ns - max_age_ns) {
        refuse(e, i, "too old: its time is more than %lld hours ago (max_event_age)",
               (long long)(max_age_ns / (3600 * SL_NS_PER_S)));
        return false;
    }
    if (time_ns > e->now_ns + CW_MAX_AHEAD_NS) {
        refuse(e, i, "too new: its time is more than 2 hours ahead");
        return false;
    }
    return true;
}

/* The text of `field` in cw->text; false: there is none. */
static bool write_field(cw_output *cw, const sl_record_ref *ref)
{
    sl_value value;
    sl_reader_set(&cw->reader, (sl_batch *)(uintptr_t)ref->batch, (sl_record *)(uintptr_t)ref->rec);
    if (!sl_reader_get(&cw->reader, cw->conf->field, &value) || value.type == SL_JSON_NULL || !value.text.len)
        return false;
    sl_buf_append_span(&cw->text, value.text);
    return true;
}

/* An event must not be empty: where the field is missing, the whole record goes. */
static void write_message(cw_output *cw, const sl_record_ref *ref)
{
    sl_buf_clear(&cw->text);
    if (cw->conf->field) {
        if (write_field(cw, ref)) return;
        sl_counter_add(cw->field_fallbacks, 1);
    }
    sl_record_write(ref->batch, ref->rec, &cw->text);
}

/* cw->text has at most the size of an event; false: refused. */
static bool fit_message(const encoding *e, uint32_t i)
{
    cw_output *cw = e->cw;
    size_t max = cw->conf->max_event_size - CW_EVENT_BYTES;
    if (cw->text.len <= max) return true;
    if (cw->conf->too_large == CW_LARGE_DEAD_LETTER) {
        refuse(e, i, "too large: it counts %zu bytes, and an event may have %llu (max_event_size)",
               cw->text.len + CW_EVENT_BYTES, (unsigned long long)cw->conf->max_event_size);
        return false;
    }
    cw->text.len = sl_span_cut(sl_buf_span(&cw->text), max - (sizeof CW_TRUNCATED - 1));
    sl_buf_append_cstr(&cw->text, CW_TRUNCATED);
    sl_counter_add(cw->truncated, 1);
    return true;
}

static void write_event(encoding *e, int64_t time_ms)
{
    sl_buf *body = &e->req->body;
    sl_buf_append_cstr(body, e->events ? ",{\"timestamp\":" : "{\"timestamp\":");
    sl_json_write_i64(body, time_ms);
    sl_buf_append_cstr(body, ",\"message\":");
    sl_json_write_string(body, sl_buf_span(&e->cw->text));
    sl_buf_append_char(body, '}');
}

/* False: the request is full. */
static bool add_event(encoding *e, uint32_t i)
{
    const sl_record_ref *ref = &e->req->recs[i];
    int64_t time_ms = ref->rec->time_ns / SL_NS_PER_MS;
    if (e->events == CW_MAX_EVENTS) return false;
    if (e->events && time_ms - e->first_ms > CW_MAX_SPAN_MS) return false;
    write_message(e->cw, ref);
    if (!fit_message(e, i)) return true;
    uint64_t size = e->cw->text.len + CW_EVENT_BYTES;
    if (e->size + size > CW_MAX_BYTES) return false;
    if (!e->events) e->first_ms = time_ms;
    write_event(e, time_ms);
    e->events++;
    e->size += size;
    return true;
}

/* ---- the request ---- */

static void refuse_all(const encoding *e, sl_span reason)
{
    for (uint32_t i = 0; i < e->req->count; i++)
        sl_request_refuse(e->req, i, reason);
}

void cw_encode(void *self, sl_request *req)
{
    encoding e = {.cw = self, .req = req, .now_ns = cw_now_ns(self)};
    sl_span group, stream, reason;
    sl_buf_append_char(&req->path, '/');
    req->content_type = CW_CONTENT_TYPE;
    if (!cw_place_split(req->partition, &group, &stream, &reason)) {
        refuse_all(&e, reason);
        return;
    }
    sl_buf_append_cstr(&req->body, "{\"logGroupName\":");
    sl_json_write_string(&req->body, group);
    sl_buf_append_cstr(&req->body, ",\"logStreamName\":");
    sl_json_write_string(&req->body, stream);
    sl_buf_append_cstr(&req->body, ",\"logEvents\":[");
    for (uint32_t i = 0; i < req->count; i++) {
        if (is_in_time(&e, i) && !add_event(&e, i)) req->count = i;
    }
    sl_buf_append_cstr(&req->body, "]}");
    req->size = e.size;
}
