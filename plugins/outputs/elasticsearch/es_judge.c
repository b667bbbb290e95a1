/* es_judge.c: what a bulk answer means for each record.
 *
 * An answer is not believed before it is checked: it must have as many items as the request had records, and
 * each its status. Otherwise everything is sent again, which the ids make harmless.
 */
#include "es_int.h"
#include <stdio.h>

#define TYPE_MAX 80 /* of an error's type, in the log */

typedef struct judging {
    es_output *es;
    sl_verdict *verdict;
    uint32_t failed;
    uint32_t conflicts; /* delivered: they were there already */
    es_item first;      /* of those that failed */
} judging;

static bool is_type(const es_item *item, const char *type)
{
    return sl_span_is_cstr(item->type, type);
}

/* 403 with a block on the index or cluster (a full disk, a read-only index) ends when somebody makes room. */
static sl_verdict_kind kind_of(const es_conf *conf, const es_item *item)
{
    if (item->status >= 200 && item->status < 300) return SL_VERDICT_DELIVERED;
    if (item->status == 409) return conf->action == ES_CREATE ? SL_VERDICT_DELIVERED : SL_VERDICT_RETRY;
    if (item->status == 403 && is_type(item, "cluster_block_exception")) return SL_VERDICT_RETRY;
    if (item->status == 429 || item->status < 400 || item->status >= 500) return SL_VERDICT_RETRY;
    return SL_VERDICT_REJECT;
}

/* A string's spelling as text. The reader of answers has only looked for its end: what is no JSON string is
 * kept as it is spelled. */
static void append_decoded(es_output *es, sl_span spelled)
{
    if (!spelled.len) return;
    sl_span quoted = {spelled.ptr - 1, spelled.len + 2};
    es->tape.len = 0;
    if (sl_json_index(&es->tape, quoted).error != SL_JSON_OK) {
        sl_json_write_escaped(&es->text, spelled);
        return;
    }
    sl_buf_reserve(&es->text, spelled.len);
    es->text.len += sl_json_unescape(spelled, es->text.ptr + es->text.len);
}

static void append_error(es_output *es, sl_span type, sl_span reason)
{
    append_decoded(es, type);
    if (type.len && reason.len) sl_buf_append_cstr(&es->text, ": ");
    append_decoded(es, reason);
}

/* "400 document_parsing_exception: failed to parse … (number_format_exception: …)" */
static sl_span write_reason(es_output *es, const es_item *item)
{
    sl_buf_clear(&es->text);
    if (item->status)
        sl_buf_printf(&es->text, "%d ", item->status);
    else
        sl_buf_append_cstr(&es->text, "an item without a status ");
    append_error(es, item->type, item->reason);
    if (item->cause_type.len || item->cause_reason.len) {
        sl_buf_append_cstr(&es->text, " (");
        append_error(es, item->cause_type, item->cause_reason);
        sl_buf_append_char(&es->text, ')');
    }
    return sl_span_trim(sl_buf_span(&es->text));
}

static void on_items(void *arg, uint32_t at, uint32_t count, const es_item *item)
{
    judging *j = arg;
    sl_verdict_kind kind = kind_of(j->es->conf, item);
    if (kind == SL_VERDICT_DELIVERED && item->status == 409) j->conflicts += count;
    if (kind == SL_VERDICT_DELIVERED || at >= j->verdict->count) return;
    if (count > j->verdict->count - at) count = j->verdict->count - at;
    if (!j->failed) j->first = *item;
    j->failed += count;
    sl_span reason = write_reason(j->es, item);
    for (uint32_t i = 0; i < count; i++)
        sl_verdict_set_record(j->verdict, at + i, kind, reason);
}

/* Goes to the log: the type of an error says what is wrong, its reason may show what is in the record. And
 * only as much of it as looks like one. */
static sl_span type_for_log(sl_span type)
{
    size_t len = 0;
    while (len < type.len && len < TYPE_MAX &&
           ((type.ptr[len] >= 'a' && type.ptr[len] <= 'z') ||
            (type.ptr[len] >= '0' && type.ptr[len] <= '9') || type.ptr[len] == '_'))
        len++;
    return (sl_span){type.ptr, len};
}

static void summarise(judging *j)
{
    sl_span type = type_for_log(j->first.type);
    snprintf(j->verdict->reason, sizeof j->verdict->reason,
             "%u of %u items failed, the first with %d " SL_SPAN_FMT, j->failed, j->verdict->count,
             j->first.status, SL_SPAN_ARG(type));
}

static void judge_items(es_output *es, const sl_answer *answer, sl_verdict *verdict)
{
    judging j = {.es = es, .verdict = verdict};
    uint32_t items = 0;
    const char *wrong = es_bulk_answer_read(answer->body, on_items, &j, &items);
    if (wrong)
        sl_verdict_set(verdict, SL_VERDICT_RETRY, "status %d from " SL_SPAN_FMT ", but no bulk answer: %s",
                       answer->status, SL_SPAN_ARG(answer->url), wrong);
    else if (items != verdict->count)
        sl_verdict_set(verdict, SL_VERDICT_RETRY, "%u items in the answer of " SL_SPAN_FMT " to %u records",
                       items, SL_SPAN_ARG(answer->url), verdict->count);
    else if (j.failed)
        summarise(&j);
    if (verdict->kind != SL_VERDICT_RETRY) sl_counter_add(es->conflicts, j.conflicts);
}

/* A request that is malformed as a whole: halving finds the record that makes it so. */
static void judge_malformed(es_output *es, const sl_request *req, const sl_answer *answer,
                            sl_verdict *verdict)
{
    es_item item;
    es_error_answer_read(answer->body, &item);
    item.status = answer->status;
    if (req->count > 1) {
        sl_span type = type_for_log(item.type);
        sl_verdict_set(verdict, SL_VERDICT_SPLIT, "%d " SL_SPAN_FMT, item.status, SL_SPAN_ARG(type));
        return;
    }
    sl_verdict_set_record(verdict, 0, SL_VERDICT_REJECT, write_reason(es, &item));
    snprintf(verdict->reason, sizeof verdict->reason, "status %d from " SL_SPAN_FMT, answer->status,
             SL_SPAN_ARG(answer->url));
}

void es_judge(void *self, const sl_request *req, const sl_answer *answer, sl_verdict *verdict)
{
    es_output *es = self;
    if (verdict->kind == SL_VERDICT_DELIVERED) judge_items(es, answer, verdict);
    if (verdict->kind == SL_VERDICT_REJECT) judge_malformed(es, req, answer, verdict);
}
