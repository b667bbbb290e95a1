/* parse_regex.c: lines and fields by a regular expression.
 *
 * One match over the bytes of the line and one writing of the object, straight into the batch's arena;
 * nothing is allocated for a record. The time is read from its group before, so that no record is ever
 * indexed for it. The pattern sees characters: a line with bad UTF-8 is repaired first.
 */
#include "parse_int.h"

/* Room of what is written beside heads and values: braces, quotes, slack of the escaper (128). */
#define ROOM_FIXED     192
#define ROOM_PER_GROUP (PARSE_HEAD_MAX + SL_CONVERT_ROOM)
#define ESCAPED_MAX    6 /* bytes that one becomes, at most: \u0000 */

#define TRUNCATED SL_SPAN("truncated")

/* ---- matching ---- */

static sl_span without_line_end(sl_span text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') text.len--;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r') text.len--;
    return text;
}

static int match(const parse_pattern *pattern, sl_batch *batch, sl_span text, sl_span *groups,
                 size_t *replaced)
{
    bool limited;
    text = without_line_end(text);
    if (sl_span_trim(text).len == 0) return SL_JSON_EMPTY;
    if (!sl_batch_repair_utf8(batch, &text, replaced)) return SL_JSON_NO_MEMORY;
    if (SL_LIKELY(sl_regex_capture(pattern->regex, text, groups, &limited))) return 0;
    return limited ? PARSE_MATCH_LIMIT : PARSE_NO_MATCH;
}

/* As before it, if it is spelled so. Within a batch the time of reading, which a format without year needs,
 * is the same. */
static bool read_text(const parse_time_conf *conf, parse_run *run, sl_span text, sl_record *rec)
{
    if (text.len == run->same_len && memcmp(text.ptr, run->same_time, text.len) == 0) {
        rec->time_ns = run->same_ns;
        return true;
    }
    int64_t ns;
    if (!parse_time_read(conf, text, rec->time_ns, &ns)) return false;
    rec->time_ns = ns;
    if (text.len <= PARSE_SAME_TIME_MAX) {
        memcpy(run->same_time, text.ptr, text.len);
        run->same_len = text.len;
        run->same_ns = ns;
    }
    return true;
}

/* The first group that is there and holds a time gives the record's. As with JSON, a number that nobody asked
 * for is no bad time. */
static void read_time(const parse_conf *conf, parse_run *run, sl_record *rec, sl_span *groups,
                      parse_result *result)
{
    const parse_pattern *pattern = conf->groups;
    result->time = PARSE_TIME_NONE;
    for (uint32_t i = 0; i < pattern->time_count; i++) {
        const parse_group *group = &pattern->groups[pattern->times[i]];
        sl_span *text = &groups[pattern->times[i]];
        if (!text->ptr) continue;
        if (text->len > 0 && read_text(&conf->time, run, *text, rec)) {
            result->time = PARSE_TIME_FOUND;
            if (!conf->time.keep) *text = SL_SPAN_NONE;
            return;
        }
        bool unasked = !conf->time.fields_set && group->type != SL_CONVERT_STRING;
        if (!unasked && !result->bad_time) result->bad_time = group->time;
    }
    if (result->bad_time) result->time = PARSE_TIME_BAD;
}

/* ---- writing ---- */

static size_t room_for(const parse_pattern *pattern, const sl_span *groups)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < pattern->count; i++)
        bytes += groups[i].len;
    return ROOM_FIXED + pattern->count * ROOM_PER_GROUP + ESCAPED_MAX * bytes;
}

/* False: a value that is not of its type stays text. */
static bool write_value(sl_buf *out, sl_convert type, sl_span text)
{
    if (type != SL_CONVERT_STRING) {
        sl_value value = {.type = SL_JSON_STRING, .text = text};
        if (SL_LIKELY(sl_value_convert(&value, type, out))) return true;
    }
    sl_json_write_string(out, text);
    return type == SL_CONVERT_STRING;
}

/* The object, into room that is known to suffice. Returns how many values were not of their type. */
static uint32_t write_object(const parse_pattern *pattern, const sl_span *groups, bool truncated, sl_buf *out)
{
    uint32_t unconverted = 0;
    for (uint32_t i = 0; i < pattern->count; i++) {
        const parse_group *group = &pattern->groups[i];
        if (!groups[i].ptr) continue;
        memcpy(out->ptr + out->len, group->head, PARSE_HEAD_MAX); /* of fixed length: no call */
        out->len += group->head_len;
        unconverted += !write_value(out, group->type, groups[i]);
    }
    if (truncated) sl_buf_append_span(out, SL_SPAN(",\"truncated\":true"));
    if (out->len == 0) sl_buf_append_char(out, ',');
    out->ptr[0] = '{'; /* in the place of the first comma */
    sl_buf_append_char(out, '}');
    return unconverted;
}

/* ---- lines ---- */

parse_run parse_regex_run(const parse_pattern *pattern, const sl_batch *batch)
{
    parse_run run = {0};
    for (uint32_t i = 0; i < pattern->count; i++)
        run.clashes |= sl_batch_joins(batch, sl_regex_group(pattern->regex, i));
    return run;
}

parse_result parse_regex_line(const parse_conf *conf, parse_run *run, sl_batch *batch, sl_record *rec)
{
    const parse_pattern *pattern = conf->groups;
    sl_span groups[SL_REGEX_MAX_GROUPS];
    parse_result result = {0};
    sl_buf out;
    result.reason = match(pattern, batch, (sl_span){rec->text, rec->len}, groups, &result.replaced);
    if (SL_UNLIKELY(result.reason != 0)) return result;
    int64_t read_ns = rec->time_ns;
    bool truncated = (rec->flags & SL_RECORD_TRUNCATED) && !pattern->has_truncated;
    bool settle = run->clashes || (truncated && sl_batch_joins(batch, TRUNCATED));
    bool room = sl_record_object_begin(batch, room_for(pattern, groups), &out);
    if (SL_LIKELY(room)) {
        read_time(conf, run, rec, groups, &result);
        result.unconverted = write_object(pattern, groups, truncated, &out);
    }
    if (!room || !sl_record_object_end(batch, rec, &out, settle)) {
        rec->time_ns = read_ns;
        return (parse_result){.reason = SL_JSON_NO_MEMORY};
    }
    return result;
}

/* ---- fields ---- */

/* The text at the field, decoded. ptr NULL: there is none, or (*reason) memory is out. */
static sl_span text_at(const parse_conf *conf, sl_batch *batch, sl_record *rec, int *reason)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    uint32_t at = tok ? sl_path_find(conf->field, (sl_span){rec->text, rec->len}, tok) : 0;
    if (at == 0 || tok[at].type != SL_JSON_STRING) return SL_SPAN_NONE;
    sl_span spelled = {rec->text + tok[at].off, tok[at].len};
    if (!(tok[at].flags & SL_TOKEN_ESCAPED)) return spelled;
    char *text = sl_arena_try_alloc(&batch->arena, spelled.len);
    if (!text) *reason = SL_JSON_NO_MEMORY;
    return text ? (sl_span){text, sl_json_unescape(spelled, text)} : SL_SPAN_NONE;
}

static int set_object(const parse_conf *conf, sl_batch *batch, sl_record *rec, const sl_span *groups,
                      uint32_t *unconverted)
{
    sl_buf out;
    if (!sl_record_object_begin(batch, room_for(conf->groups, groups), &out)) return SL_JSON_NO_MEMORY;
    *unconverted = write_object(conf->groups, groups, false, &out);
    int res = sl_record_set(batch, rec, conf->field, sl_buf_span(&out));
    return res == 0 ? 0 : res == SL_E_LIMIT ? SL_JSON_TOO_DEEP : SL_JSON_NO_MEMORY;
}

parse_result parse_regex_field(const parse_conf *conf, sl_batch *batch, sl_record *rec)
{
    sl_span groups[SL_REGEX_MAX_GROUPS];
    parse_result result = {.reason = SL_JSON_EMPTY};
    sl_span text = text_at(conf, batch, rec, &result.reason);
    if (!text.ptr) return result;
    result.reason = match(conf->groups, batch, text, groups, &result.replaced);
    if (result.reason == 0) result.reason = set_object(conf, batch, rec, groups, &result.unconverted);
    if (result.reason == 0) parse_time_apply(&conf->time, batch, rec, &result);
    return result;
}
