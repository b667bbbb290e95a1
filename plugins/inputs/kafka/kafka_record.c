/* kafka_record.c: one message as a record.
 *
 * A value goes on as a line, as from a file: `parse` makes an object of it. What is the same for a partition
 * is kept beside the batch. Only where `fields` asks for what differs from message to message is the value
 * looked into here: the members are put in front of a JSON object's own, which stays a line for `parse`; any
 * other value becomes `message` beside them.
 */
#include "kafka_input_int.h"

#define MAX_TIME_MS INT64_C(9223372036854) /* of what ns in 64 bits can tell */

static void write_name(sl_buf *out, sl_span name)
{
    sl_json_write_string(out, name);
    sl_buf_append_char(out, ':');
}

void kafka_record_common(const kafka_input_conf *conf, const kafka_part *part, sl_buf *out)
{
    const kafka_field_names *names = &conf->fields;
    if (names->topic.len) {
        write_name(out, names->topic);
        sl_json_write_string(out, sl_span_of(part->topic));
    }
    if (names->topic.len && names->partition.len) sl_buf_append_char(out, ',');
    if (names->partition.len) {
        write_name(out, names->partition);
        sl_json_write_i64(out, part->number);
    }
}

/* ---- members of one record ---- */

/* "offset" is a name that any record may be given without being looked into. */
static bool is_joined_offset(const kafka_field_names *names)
{
    return sl_span_is_cstr(names->offset, "offset");
}

static bool has_own_fields(const kafka_field_names *names)
{
    return names->key.len || names->time.len || names->headers.len ||
           (names->offset.len && !is_joined_offset(names));
}

static int64_t time_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    bool known = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms > 0 && ms <= MAX_TIME_MS;
    return known ? ms * SL_NS_PER_MS : sl_clock_wall_ns();
}

static void write_headers(const rd_kafka_message_t *message, sl_buf *out)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len;
    sl_buf_append_char(out, '{');
    if (rd_kafka_message_headers(message, &headers) == 0) {
        for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == 0; i++) {
            if (i) sl_buf_append_char(out, ',');
            write_name(out, sl_span_of(name));
            if (value)
                sl_json_write_string(out, (sl_span){value, len});
            else
                sl_buf_append_span(out, SL_SPAN("null"));
        }
    }
    sl_buf_append_char(out, '}');
}

/* Whether to write this member: it is asked for, and the object in the tape has none of that name. */
static bool is_wanted(const kafka_input *in, sl_span name, sl_span object)
{
    const sl_token *tok = in->tape.tok;
    if (!name.len) return false;
    if (!object.ptr) return true;
    for (uint32_t key = 1; key < tok[0].next; key = tok[key + 1].next)
        if (sl_span_is(name, (sl_span){object.ptr + tok[key].off, tok[key].len})) return false;
    return true;
}

/* Each followed by a comma. object: the value as indexed; ptr NULL: it is none. */
static void write_members(kafka_input *in, const rd_kafka_message_t *message, sl_span object, sl_buf *out)
{
    const kafka_field_names *names = &in->conf->fields;
    if (message->key && is_wanted(in, names->key, object)) {
        write_name(out, names->key);
        sl_json_write_string(out, (sl_span){message->key, message->key_len});
        sl_buf_append_char(out, ',');
    }
    if (!is_joined_offset(names) && is_wanted(in, names->offset, object)) {
        write_name(out, names->offset);
        sl_json_write_i64(out, message->offset);
        sl_buf_append_char(out, ',');
    }
    if (is_wanted(in, names->time, object)) {
        write_name(out, names->time);
        sl_buf_append_char(out, '"');
        sl_json_write_time(out, time_of(message));
        sl_buf_append_span(out, SL_SPAN("\","));
    }
    if (is_wanted(in, names->headers, object)) {
        write_name(out, names->headers);
        write_headers(message, out);
        sl_buf_append_char(out, ',');
    }
}

/* ---- values ---- */

typedef struct line {
    sl_span value;
    uint16_t flags;
} line;

static bool is_object(kafka_input *in, sl_span value)
{
    in->tape.len = 0;
    return sl_json_index(&in->tape, value).error == SL_JSON_OK && in->tape.tok[0].type == SL_JSON_OBJECT;
}

/* {"message":"…",members}: no line any more, so TIME is said here. */
static void write_text(kafka_input *in, const rd_kafka_message_t *message, line *made, sl_buf *out)
{
    sl_buf_append_char(out, '{');
    write_members(in, message, SL_SPAN_NONE, out);
    sl_buf_append_span(out, SL_SPAN("\"message\":"));
    sl_json_write_string(out, made->value);
    if (made->flags & SL_RECORD_TRUNCATED) sl_buf_append_span(out, SL_SPAN(",\"truncated\":true"));
    sl_buf_append_char(out, '}');
    made->flags &= (uint16_t) ~(SL_RECORD_RAW | SL_RECORD_TRUNCATED);
    made->flags |= SL_RECORD_TIME;
}

static void write_object(kafka_input *in, const rd_kafka_message_t *message, const line *made, sl_buf *out)
{
    sl_span own = made->value;
    uint32_t start = in->tape.tok[0].off + 1;
    bool is_empty = in->tape.tok[0].next == 1;
    sl_buf_append_char(out, '{');
    write_members(in, message, own, out);
    if (is_empty && out->len > 1) out->len--;
    sl_buf_append(out, own.ptr + start, own.len - start);
}

/* The value with its members. False: no memory. */
static bool add_members(kafka_input *in, const rd_kafka_message_t *message, line *made)
{
    sl_buf *out = &in->scratch;
    sl_buf_clear(out);
    if (sl_buf_try_reserve(out, made->value.len) != 0) return false;
    if (is_object(in, made->value))
        write_object(in, message, made, out);
    else
        write_text(in, message, made, out);
    made->value = sl_buf_span(out);
    return true;
}

static void cut(kafka_input *in, const kafka_part *part, const rd_kafka_message_t *message, line *made)
{
    if (made->value.len <= in->conf->max_message) return;
    made->value.len = sl_span_cut(made->value, in->conf->max_message);
    made->flags |= SL_RECORD_TRUNCATED;
    sl_counter_add(in->cut, 1);
    sl_log_limited(&in->cut_limit, SL_LOG_WARN, sl_input_name(in->core),
                   "the message at offset %lld of %s/%d is longer than `max_message` and was cut",
                   (long long)message->offset, part->topic, (int)part->number);
}

/* ---- the batch ---- */

/* A header that holds no id leaves the record with the one of its place. For want of memory it would have
 * another id each time. */
static void take_id(const kafka_input *in, const rd_kafka_message_t *message, sl_batch *batch, sl_record *rec)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value;
    size_t len;
    sl_id id;
    if (!in->conf->id_header.len || rd_kafka_message_headers(message, &headers) != 0) return;
    if (rd_kafka_header_get_last(headers, in->conf->id_header.ptr, &value, &len) != 0 || !value) return;
    if (!sl_id_parse_short((sl_span){value, len}, &id)) return;
    if (!sl_batch_set_id(batch, rec, id)) sl_out_of_memory(sizeof id);
}

static void begin_batch(kafka_input *in, kafka_part *part)
{
    sl_batch *batch = part->batch = sl_batch_new();
    sl_buf *text = &in->scratch;
    sl_buf_clear(text);
    kafka_record_common(in->conf, part, text);
    sl_batch_set_common(batch, sl_buf_span(text));
    sl_buf_clear(text);
    sl_buf_printf(text, "%s/%d", part->topic, (int)part->number);
    batch->source_name = sl_batch_dup(batch, sl_buf_span(text));
}

static bool add(kafka_input *in, kafka_part *part, const rd_kafka_message_t *message, line *made)
{
    if (!part->batch) begin_batch(in, part);
    if (has_own_fields(&in->conf->fields) && !add_members(in, message, made)) return false;
    if (is_joined_offset(&in->conf->fields)) made->flags |= SL_RECORD_OFFSET;
    if (in->conf->fields.topic.len || in->conf->fields.partition.len) made->flags |= SL_RECORD_COMMON;
    char *text = sl_batch_try_alloc(part->batch, made->value.len);
    if (!text) return false;
    memcpy(text, made->value.ptr, made->value.len);
    sl_record *rec = sl_batch_add(part->batch, (sl_span){text, made->value.len}, made->flags,
                                  time_of(message), (uint64_t)message->offset);
    if (!rec) return false;
    take_id(in, message, part->batch, rec);
    in->open_bytes += made->value.len;
    sl_counter_add(in->records, 1);
    sl_counter_add(in->bytes, message->len);
    return true;
}

bool kafka_record_add(kafka_input *in, kafka_part *part, const rd_kafka_message_t *message)
{
    line made = {{message->payload, message->len}, SL_RECORD_RAW};
    if (!message->payload) {
        sl_counter_add(in->tombstones, 1);
        if (in->conf->tombstones == KAFKA_TOMBSTONES_SKIP) return true;
        made = (line){SL_SPAN("{\"tombstone\":true}"), SL_RECORD_TIME};
    } else if (!message->len) {
        sl_counter_add(in->empty, 1);
        return true;
    }
    cut(in, part, message, &made);
    return add(in, part, message, &made);
}
