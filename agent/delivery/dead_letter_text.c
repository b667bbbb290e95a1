/* dead_letter_text.c: a letter as JSON, and back (see dead_letter.h).
 *
 * Every part is bounded, so that a letter always fits into a frame of the journal: a letter that could not be
 * written would hold up all records behind it.
 */
#include "dead_letter.h"
#include "journal/journal.h"

#include <sluice/json.h>
#include <stdio.h>
#include <stdlib.h>

#define SPELLED 6u    /* bytes that JSON needs for one, at most: \u0001 */
#define FIXED   1024u /* names of members, ids, times, numbers */
_Static_assert(SPELLED *(SL_DEAD_LETTER_MAX_RECORD + 4 * SL_DEAD_LETTER_MAX_TEXT) + FIXED <=
                   SL_MAX_RECORD_LEN,
               "a letter is a record of the journal");

/* ---- writing ---- */

static void write_text(sl_buf *out, const char *name, const char *text)
{
    sl_span span = sl_span_of(text ? text : "");
    span.len = sl_span_cut(span, SL_DEAD_LETTER_MAX_TEXT);
    sl_buf_printf(out, "\"%s\":", name);
    sl_json_write_string(out, span);
    sl_buf_append_char(out, ',');
}

static void write_id(sl_buf *out, const char *name, sl_id id)
{
    char text[SL_ID_TEXT_LEN];
    sl_id_format(id, text);
    sl_buf_printf(out, "\"%s\":\"%.*s\",", name, SL_ID_TEXT_LEN, text);
}

void sl_dead_letter_format(const sl_dead_letter *letter, sl_buf *out)
{
    sl_span record = letter->record;
    record.len = sl_span_cut(record, SL_DEAD_LETTER_MAX_RECORD);
    uint64_t cut = letter->record.len - record.len;
    sl_buf_append_char(out, '{');
    write_text(out, "reason", letter->reason);
    write_text(out, "output", letter->output);
    write_text(out, "first_error", letter->first_error);
    write_text(out, "last_error", letter->last_error);
    sl_buf_printf(out, "\"attempts\":%u,\"first_time\":\"", letter->attempts);
    sl_json_write_time(out, letter->first_time_ns);
    sl_buf_append_cstr(out, "\",");
    write_id(out, "id", letter->id);
    write_id(out, "source", letter->source);
    sl_buf_printf(out, "\"origin\":%llu,", (unsigned long long)letter->origin);
    if (cut) sl_buf_printf(out, "\"cut\":%llu,", (unsigned long long)cut);
    sl_buf_append_cstr(out, "\"record\":");
    if (letter->raw || cut)
        sl_json_write_string(out, record);
    else
        sl_buf_append_span(out, record);
    sl_buf_append_char(out, '}');
}

/* ---- reading ---- */

/* A letter as its tokens: tok[0] is the object. */
typedef struct parsed {
    sl_span text;
    const sl_token *tok;
} parsed;

static sl_span spelling(const parsed *p, const sl_token *tok)
{
    return (sl_span){p->text.ptr + tok->off, tok->len};
}

/* The member `name` of an object, NULL when there is none. */
static const sl_token *member(const parsed *p, const sl_token *object, const char *name)
{
    uint32_t at = (uint32_t)(object - p->tok);
    for (uint32_t k = at + 1; k < object->next; k = p->tok[k + 1].next) {
        if (sl_span_is_cstr(spelling(p, &p->tok[k]), name)) return &p->tok[k + 1];
    }
    return NULL;
}

static bool parse_id(sl_span hex, sl_id *id)
{
    unsigned long long hi, lo;
    char text[SL_ID_TEXT_LEN + 1];
    if (hex.len != SL_ID_TEXT_LEN) return false;
    memcpy(text, hex.ptr, SL_ID_TEXT_LEN);
    text[SL_ID_TEXT_LEN] = '\0';
    if (sscanf(text, "%16llx%16llx", &hi, &lo) != 2) return false;
    *id = (sl_id){hi, lo};
    return true;
}

/* An id that source and origin do not make is the record's own. */
static void set_own_id(sl_batch *batch, const parsed *p, sl_record *rec)
{
    const sl_token *member_id = member(p, p->tok, "id");
    sl_id own, made = sl_record_id(batch, rec);
    if (!member_id || !parse_id(spelling(p, member_id), &own)) return;
    if (own.hi == made.hi && own.lo == made.lo) return;
    if (!sl_batch_set_id(batch, rec, own)) sl_out_of_memory(sizeof own);
}

/* Adds the record as it was: an object, or a line. */
static void add_record(sl_batch *batch, const parsed *p, const sl_token *record, int64_t time_ns,
                       uint64_t origin)
{
    char *text = sl_batch_try_alloc(batch, record->len);
    if (!text) sl_out_of_memory(record->len);
    size_t len = record->len;
    uint16_t flags;
    if (record->type == SL_JSON_STRING) {
        len = sl_json_unescape(spelling(p, record), text);
        flags = SL_RECORD_RAW | (member(p, p->tok, "cut") ? SL_RECORD_TRUNCATED : 0);
    } else {
        memcpy(text, p->text.ptr + record->off, len);
        flags = SL_RECORD_VALID_UTF8 | (member(p, record, "@timestamp") ? 0 : SL_RECORD_TIME);
    }
    set_own_id(batch, p, sl_batch_add(batch, (sl_span){text, len}, flags, time_ns, origin));
}

sl_batch *sl_dead_letter_parse(sl_span text, int64_t time_ns, sl_tape *tape)
{
    tape->len = 0;
    if (sl_json_index(tape, text).error != SL_JSON_OK || tape->tok[0].type != SL_JSON_OBJECT) return NULL;
    parsed p = {text, tape->tok};
    const sl_token *source = member(&p, p.tok, "source"), *origin = member(&p, p.tok, "origin");
    const sl_token *output = member(&p, p.tok, "output"), *record = member(&p, p.tok, "record");
    sl_id id;
    if (!source || !origin || !output || !record) return NULL;
    if (output->len == 0 || output->len > SL_JOURNAL_MAX_NAME) return NULL;
    if (!parse_id(spelling(&p, source), &id)) return NULL;
    if (record->len > SL_MAX_RECORD_LEN) return NULL;
    if (record->type != SL_JSON_OBJECT && record->type != SL_JSON_STRING) return NULL;
    sl_batch *batch = sl_batch_new();
    batch->source = id;
    sl_span name = spelling(&p, output);
    sl_batch_set_target(batch, sl_span_is_cstr(name, "filters") ? SL_SPAN(SL_TARGET_ALL) : name);
    add_record(batch, &p, record, time_ns, strtoull(text.ptr + origin->off, NULL, 10));
    return batch;
}
