/* The first byte chooses: `c` an Apache combined line, `m` a common one, `p` <pattern> NUL <line>. What a
 * pattern makes of a line is a JSON object in UTF-8 on one line, no name is there twice, and every text in it
 * stands in the line. */
#include "../../plugins/filters/parse/parse_int.h"

#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COMMON "\"client\":\"c\",\"file\":\"f\""

static int format_named(const char *name)
{
    int i = 0;
    while (strcmp(parse_format_names[i], name) != 0)
        i++;
    return i;
}

/* A configuration as it is after check(). False: it is none. */
static bool prepare(parse_conf *conf, const char *format, sl_regex *pattern)
{
    static sl_path *fields[2];
    sl_err err = SL_ERR_NONE;
    if (!fields[0]) {
        fields[0] = sl_path_parse(SL_SPAN("time"), &err);
        fields[1] = sl_path_parse(SL_SPAN("ts"), &err);
    }
    *conf = (parse_conf){.format = format_named(format),
                         .pattern = pattern,
                         .time = {.fields = {fields, SL_LEN(fields)}, .zone = SL_SPAN("UTC"), .keep = true}};
    if (parse_formats_check(conf, &err) != 0) return false;
    if (parse_time_check(&conf->time, NULL, &err) != 0) abort();
    parse_formats_link(conf);
    return true;
}

static void release(parse_conf *conf)
{
    parse_formats_release(conf);
    parse_time_release(&conf->time);
}

/* Types for the groups of one's own patterns, so that each way of writing is gone. */
static void vary_types(parse_conf *conf)
{
    for (uint32_t i = 0; i < conf->groups->count; i++)
        conf->groups->groups[i].type = (sl_convert)(i % 4);
}

static void check_texts(sl_span object, const sl_token *tok, sl_span line)
{
    char *text = sl_alloc(object.len);
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        const sl_token *value = &tok[k + 1];
        for (uint32_t other = 1; other < k; other = tok[other + 1].next)
            if (sl_span_is((sl_span){object.ptr + tok[other].off, tok[other].len},
                           (sl_span){object.ptr + tok[k].off, tok[k].len}))
                abort();
        if (value->type != SL_JSON_STRING) continue;
        sl_span decoded = {text, sl_json_unescape((sl_span){object.ptr + value->off, value->len}, text)};
        bool common = sl_span_is_cstr(decoded, "f") || sl_span_is_cstr(decoded, "c");
        if (!common && decoded.len > 0 && sl_span_find(line, decoded, 0) == line.len) abort();
    }
    sl_free(text);
}

static void check_object(sl_span object, sl_span line)
{
    sl_tape tape = {0};
    if (sl_json_index(&tape, object).error != SL_JSON_OK || tape.tok[0].type != SL_JSON_OBJECT) abort();
    if (!sl_utf8_is_valid(object) || memchr(object.ptr, '\n', object.len)) abort();
    check_texts(object, tape.tok, line);
    sl_tape_release(&tape);
}

static void parse(const parse_conf *conf, sl_span line)
{
    sl_batch *batch = sl_batch_new();
    if (sl_batch_set_common(batch, SL_SPAN(COMMON)) != 0) abort();
    parse_run run = parse_regex_run(conf->groups, batch);
    uint16_t flags = SL_RECORD_RAW | SL_RECORD_COMMON;
    sl_batch_add(batch, sl_batch_dup(batch, line), flags, 1, 2);
    sl_batch_add(batch, sl_batch_dup(batch, line), flags, 1, 3); /* behind it, in the same piece */
    parse_result first = parse_regex_line(conf, &run, batch, &batch->recs[0]);
    bool parsed = first.reason == 0;
    if (parsed && first.time != PARSE_TIME_FOUND && batch->recs[0].time_ns != 1) abort();
    if (parsed != (parse_regex_line(conf, &run, batch, &batch->recs[1]).reason == 0)) abort();
    if (sl_batch_seal(batch) != 0) abort();
    sl_buf repaired = SL_BUF_NONE;
    sl_utf8_repair(&repaired, line);
    for (uint32_t i = 0; parsed && i < batch->count; i++) {
        sl_buf out = SL_BUF_NONE;
        batch->recs[i].flags &= (uint16_t)~SL_RECORD_TIME;
        sl_record_write(batch, &batch->recs[i], &out);
        check_object(sl_buf_span(&out), sl_buf_span(&repaired));
        sl_buf_release(&out);
    }
    sl_buf_release(&repaired);
    sl_batch_unref(batch);
}

static void parse_known(const char *format, sl_span line)
{
    parse_conf conf;
    if (!prepare(&conf, format, NULL)) abort();
    parse(&conf, line);
    release(&conf);
}

static void parse_by_pattern(sl_span both)
{
    const char *end = memchr(both.ptr, 0, both.len);
    if (!end) return;
    sl_err err = SL_ERR_NONE;
    sl_span text = {both.ptr, (size_t)(end - both.ptr)};
    sl_regex *pattern = sl_regex_parse(text, &err);
    if (!pattern) {
        if (strncmp(err.text, "column ", 7) != 0) abort();
        return;
    }
    parse_conf conf;
    if (prepare(&conf, "regex", pattern)) {
        vary_types(&conf);
        parse(&conf, (sl_span){end + 1, both.len - text.len - 1});
    }
    release(&conf);
    sl_regex_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    sl_span rest = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 'c': parse_known("apache_combined", rest); break;
    case 'm': parse_known("apache_common", rest); break;
    case 'p': parse_by_pattern(rest); break;
    default: break;
    }
    return 0;
}
