/* kafka_encode.c: a record as a message: topic, key, value, headers.
 *
 * A value is written once, into its request's body, which has room for all of them from the start: so it
 * never moves, and librdkafka is given pointers. Keys and headers it copies.
 */
#include "kafka_int.h"
#include <stdio.h>

void kafka_encoder_init(kafka_encoder *encoder, const kafka_output_conf *conf)
{
    *encoder = (kafka_encoder){.conf = conf};
}

void kafka_encoder_release(kafka_encoder *encoder)
{
    sl_reader_release(&encoder->reader);
    sl_buf_release(&encoder->topic);
    sl_buf_release(&encoder->key);
    sl_buf_release(&encoder->scratch);
}

/* One field's text is never longer than the record: unescaping makes it shorter. A joined field may be alone
 * in a short record. */
size_t kafka_encode_max(const sl_request *req)
{
    size_t max = 1; /* never NULL */
    for (uint32_t i = 0; i < req->count; i++)
        max += req->recs[i].rec->len + sl_batch_join_max(req->recs[i].batch);
    return max;
}

static bool write_topic(kafka_encoder *encoder, sl_span *topic, char *reason)
{
    if (encoder->conf->topic_name[0]) {
        *topic = SL_SPAN_NONE;
        return true;
    }
    sl_buf_clear(&encoder->topic);
    if (sl_template_write(encoder->conf->topic, &encoder->reader, &encoder->topic) != 0) {
        snprintf(reason, SL_REASON_MAX, "a field that `topic` names is missing or no text");
        return false;
    }
    *topic = sl_buf_span(&encoder->topic);
    if (kafka_topic_is_valid(*topic)) return true;
    snprintf(reason, SL_REASON_MAX,
             "what `topic` gives is no name of a topic: 1 to %d letters, digits, dots, _ and -",
             KAFKA_MAX_TOPIC);
    return false;
}

static bool write_field(kafka_encoder *encoder, sl_buf *body, char *reason)
{
    const sl_path *field = encoder->conf->field;
    sl_value value;
    if (sl_reader_get(&encoder->reader, field, &value)) {
        sl_buf_append_span(body, value.text);
        return true;
    }
    snprintf(reason, SL_REASON_MAX, "the record has no field " SL_SPAN_FMT, SL_SPAN_ARG(sl_path_text(field)));
    return false;
}

static bool write_value(kafka_encoder *encoder, const sl_record_ref *ref, sl_buf *body, sl_span *value,
                        char *reason)
{
    const kafka_output_conf *conf = encoder->conf;
    *value = SL_SPAN_NONE;
    if (conf->tombstone && sl_condition_eval(conf->tombstone, &encoder->reader)) return true;
    size_t from = body->len;
    if (conf->format == KAFKA_FORMAT_RECORD)
        sl_record_write(ref->batch, ref->rec, body);
    else if (!write_field(encoder, body, reason))
        return false;
    *value = (sl_span){body->ptr + from, body->len - from};
    return true;
}

static void write_key(kafka_encoder *encoder, sl_span *key)
{
    *key = SL_SPAN_NONE;
    sl_buf_clear(&encoder->key);
    const sl_template *tpl = encoder->conf->key;
    if (tpl && sl_template_write(tpl, &encoder->reader, &encoder->key) == 0 && encoder->key.len)
        *key = sl_buf_span(&encoder->key);
}

/* Where a field is missing there is no header. */
static rd_kafka_headers_t *make_headers(kafka_encoder *encoder, const sl_record_ref *ref)
{
    const kafka_output_conf *conf = encoder->conf;
    size_t count = conf->header_count + (conf->id_header.len > 0);
    if (!count) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
    if (conf->id_header.len) {
        char id[SL_ID_SHORT_LEN];
        sl_id_format_short(sl_record_id(ref->batch, ref->rec), id);
        rd_kafka_header_add(headers, conf->id_header.ptr, (ssize_t)conf->id_header.len, id, sizeof id);
    }
    for (size_t i = 0; i < conf->header_count; i++) {
        const kafka_header_template *header = &conf->header_templates[i];
        sl_buf_clear(&encoder->scratch);
        if (sl_template_write(header->value, &encoder->reader, &encoder->scratch) != 0) continue;
        rd_kafka_header_add(headers, header->name, -1, encoder->scratch.ptr ? encoder->scratch.ptr : "",
                            (ssize_t)encoder->scratch.len);
    }
    return headers;
}

/* The text that the partition follows from; none: librdkafka picks one at random. */
static void write_partition(kafka_encoder *encoder, kafka_request *request, kafka_message *message)
{
    const sl_template *tpl = encoder->conf->partition_template;
    message->partition = NULL;
    message->partition_len = 0;
    if (!tpl) return;
    sl_buf_clear(&encoder->scratch);
    if (sl_template_write(tpl, &encoder->reader, &encoder->scratch) != 0 || !encoder->scratch.len) return;
    sl_span text = sl_arena_dup(&request->texts, sl_buf_span(&encoder->scratch));
    message->partition = text.ptr;
    message->partition_len = (uint32_t)text.len;
}

bool kafka_encode(kafka_encoder *encoder, kafka_request *request, uint32_t i, kafka_encoded *out,
                  char *reason)
{
    const sl_record_ref *ref = &request->req->recs[i];
    sl_reader_set(&encoder->reader, (sl_batch *)(uintptr_t)ref->batch, (sl_record *)(uintptr_t)ref->rec);
    if (!write_topic(encoder, &out->topic, reason)) return false;
    if (!write_value(encoder, ref, &request->body, &out->value, reason)) return false;
    write_key(encoder, &out->key);
    if (!out->value.ptr && !out->key.ptr) {
        snprintf(reason, SL_REASON_MAX, "a tombstone needs a key, and a field that `key` names is missing");
        return false;
    }
    out->time_ms = ref->rec->time_ns > 0 ? ref->rec->time_ns / SL_NS_PER_MS : 0;
    out->headers = make_headers(encoder, ref);
    write_partition(encoder, request, &request->messages[i]);
    return true;
}
