/* parse.c: the filter that makes records of lines.
 *
 * Every line has one of these fates, each counted:
 *   an object           becomes the record: byte for byte, but for repaired UTF-8 and lone surrogates
 *   what a pattern fits becomes an object of its groups
 *   nothing but space   is taken out
 *   anything else       is kept as {"message":…} with the reason beside it, dropped, or dead-lettered:
 * `on_error` A byte order mark in front is taken off first. A record that is an object already is left alone,
 * unless `field` names a text in it; but one that an earlier step made of a line, and that is nothing but
 * that line, is parsed all the same.
 */
#include "parse_int.h"

#include <inttypes.h>
#include <stdio.h>

#define BOM "\xef\xbb\xbf"

static const char *const on_errors[] = {"keep", "drop", "dead_letter", NULL};

static const sl_option options[] = {
    {"format", SL_OPT_ENUM, offsetof(parse_conf, format), .def = "json", .names = parse_format_names,
     .flags = SL_OPT_MAIN,
     .help =
         "What a line is written in. `json`: one JSON object. `regex`: what `pattern` says. `apache_common`, "
         "`apache_combined` and `nginx` (combined): access lines, with the members `client`, `ident`, "
         "`user`, "
         "`time`, `method`, `path`, `protocol`, `status`, `bytes`, `referer`, `agent`; `request` where that "
         "is no "
         "HTTP, `extra` for what follows; what is written `-` is left out."},
    {"pattern", SL_OPT_REGEX, offsetof(parse_conf, pattern),
     .help = "PCRE2 expression for `format: regex`, e.g. `^(?<level>\\w+): (?<message>.*)`. Each named group "
             "becomes a "
             "member, in this order; one that took no part is left out. 64 groups at most."},
    {"types", SL_OPT_MAP, offsetof(parse_conf, types),
     .help = "`group: type`, with `string` (all, unless said here), `int`, `float` or `bool`. A value that "
             "is none "
             "stays text, and is counted."},
    {"field", SL_OPT_PATH, offsetof(parse_conf, field),
     .help = "Parses the text of this field instead of the line; the object takes the text's place. Records "
             "without such a "
             "text are left alone."},
    {"on_error", SL_OPT_ENUM, offsetof(parse_conf, on_error), .def = "keep", .names = on_errors,
     .help =
         "What becomes of a line that cannot be parsed. `keep`: it stays, as `message`, with the reason in "
         "`error_field`. `drop`: it is dropped and counted. `dead_letter`: it goes to the dead letters with "
         "the reason."},
    {"error_field", SL_OPT_STRING, offsetof(parse_conf, error_field), .def = "parse_error",
     .help = "Name of the field that tells why a kept line could not be parsed."},
    {"time", SL_OPT_GROUP, offsetof(parse_conf, time), .rows = parse_time_options,
     .help = "Where the record's time comes from. It is delivered as `@timestamp`; a record without one has "
             "the time at "
             "which it was read."},
    {0}};

/* ---- configuration ---- */

static int make_error_path(parse_conf *conf, sl_err *err)
{
    sl_span name = conf->error_field;
    if (name.len == 0 || sl_span_is_cstr(name, "message") || sl_span_is_cstr(name, "@timestamp"))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `error_field`: \"" SL_SPAN_FMT "\" can't be used; take another name",
                          SL_SPAN_ARG(name));
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_char(&text, '[');
    sl_json_write_string(&text, name);
    sl_buf_append_char(&text, ']');
    conf->error_path = sl_path_parse(sl_buf_span(&text), err);
    sl_buf_release(&text);
    return conf->error_path ? 0 : sl_err_prefix(err, "option `error_field`");
}

static void conf_release(void *arg)
{
    parse_conf *conf = arg;
    sl_path_free(conf->error_path);
    parse_formats_release(conf);
    parse_time_release(&conf->time);
}

static int check(void *arg, sl_err *err)
{
    parse_conf *conf = arg;
    int res = make_error_path(conf, err);
    if (res == 0) res = parse_formats_check(conf, err);
    if (res == 0) res = parse_time_check(&conf->time, conf->field, err);
    if (res == 0) parse_formats_link(conf);
    return res;
}

/* ---- the instance ---- */

/* Why a line is no record, as metrics have it. */
static const char *const reasons[PARSE_REASONS] = {
    [SL_JSON_EMPTY] = "empty",
    [SL_JSON_NOT_JSON] = "not_json",
    [SL_JSON_BAD_LITERAL] = "bad_literal",
    [SL_JSON_BAD_NUMBER] = "bad_number",
    [SL_JSON_BAD_ESCAPE] = "bad_escape",
    [SL_JSON_CONTROL_CHARACTER] = "control_character",
    [SL_JSON_UNTERMINATED] = "unterminated",
    [SL_JSON_BAD_STRUCTURE] = "bad_structure",
    [SL_JSON_TRAILING] = "trailing_text",
    [SL_JSON_TOO_DEEP] = "too_deep",
    [SL_JSON_TOO_LONG] = "too_long",
    [SL_JSON_NO_MEMORY] = "out_of_memory",
    [PARSE_NOT_OBJECT] = "not_object",
    [PARSE_NO_MATCH] = "no_match",
    [PARSE_MATCH_LIMIT] = "match_limit",
};

typedef struct parse_filter {
    const parse_conf *conf;
    const char *name;
    sl_counter *parsed, *empty, *repaired, *unconverted, *time_bad, *time_none;
    sl_counter *errors[PARSE_REASONS];
    sl_log_limit error_limit, repair_limit, time_limit;
} parse_filter;

static void *start(sl_filter *filter, const void *conf, sl_err *err)
{
    (void)err;
    parse_filter *self = sl_calloc(1, sizeof(*self));
    self->conf = conf;
    self->name = sl_filter_name(filter);
    self->parsed = sl_filter_counter(filter, "records_total", "Lines and fields parsed.");
    self->empty = sl_filter_counter(filter, "empty_total", "Lines of nothing but white space, taken out.");
    self->repaired =
        sl_filter_counter(filter, "repaired_total",
                          "Records in which bytes that are no UTF-8, or escapes of lone surrogates, were "
                          "replaced by U+FFFD.");
    self->unconverted = sl_filter_counter(filter, "unconverted_total",
                                          "Values that are not of the type asked for; they stay text.");
    self->time_bad = sl_filter_counter(
        filter, "bad_times_total", "Records whose time field holds no time; they have the time of reading.");
    self->time_none = sl_filter_counter(filter, "missing_times_total",
                                        "Records without a time field; they have the time of reading.");
    for (size_t i = 1; i < PARSE_REASONS; i++)
        self->errors[i] = sl_filter_counter_labelled(
            filter, "errors_total", "Lines and fields that could not be parsed.", "reason", reasons[i]);
    return self;
}

/* ---- what can't be parsed ---- */

static sl_span source_of(const sl_batch *batch)
{
    return batch->source_name.len ? batch->source_name : SL_SPAN("its source");
}

static const char *why(int reason)
{
    switch (reason) {
    case PARSE_NOT_OBJECT: return "not a JSON object";
    case PARSE_NO_MATCH: return "the pattern does not match";
    case PARSE_MATCH_LIMIT: return "the pattern took too many steps";
    default: return sl_json_error_text((sl_json_error)reason);
    }
}

static const char *outcome_of(int on_error)
{
    static const char *const outcomes[] = {"kept as text", "dropped", "moved to the dead letters"};
    return outcomes[on_error];
}

/* The reason beside the text. For want of memory alone it stays away; the record itself is kept in any case.
 */
static void set_reason(const parse_filter *self, sl_batch *batch, sl_record *rec, const char *reason)
{
    sl_buf json = SL_BUF_NONE;
    sl_json_write_string(&json, sl_span_of(reason));
    (void)sl_record_set(batch, rec, self->conf->error_path, sl_buf_span(&json));
    sl_buf_release(&json);
}

static void fail(parse_filter *self, sl_batch *batch, sl_record *rec, const parse_result *result)
{
    sl_span source = source_of(batch);
    const char *format = parse_format_names[self->conf->format], *reason = why(result->reason);
    char at[32] = ""; /* a pattern fails as a whole */
    if (!self->conf->groups) snprintf(at, sizeof(at), ", at byte %u", result->at);
    sl_counter_add(self->errors[result->reason], 1);
    sl_log_limited(&self->error_limit, SL_LOG_WARN, self->name,
                   "the line at offset %" PRIu64 " of " SL_SPAN_FMT " is not `%s` (%s%s): %s", rec->origin,
                   SL_SPAN_ARG(source), format, reason, at, outcome_of(self->conf->on_error));
    switch (self->conf->on_error) {
    case ON_ERROR_KEEP: set_reason(self, batch, rec, reason); break;
    case ON_ERROR_DROP: sl_record_set_fate(batch, rec, SL_FATE_DROPPED, "parse_error"); break;
    default: sl_record_set_fate(batch, rec, SL_FATE_DEAD_LETTERED, reason);
    }
}

/* ---- records ---- */

static void note_repair(parse_filter *self, const sl_batch *batch, const sl_record *rec)
{
    sl_span source = source_of(batch);
    sl_counter_add(self->repaired, 1);
    sl_log_limited(&self->repair_limit, SL_LOG_WARN, self->name,
                   "the line at offset %" PRIu64 " of " SL_SPAN_FMT
                   " holds bytes that are no UTF-8 or half of a surrogate pair: each became U+FFFD",
                   rec->origin, SL_SPAN_ARG(source));
}

static void note_bad_time(parse_filter *self, const sl_batch *batch, const sl_record *rec,
                          const sl_path *field)
{
    sl_span source = source_of(batch), name = sl_path_text(field);
    sl_counter_add(self->time_bad, 1);
    sl_log_limited(&self->time_limit, SL_LOG_WARN, self->name,
                   "field " SL_SPAN_FMT " of the line at offset %" PRIu64 " of " SL_SPAN_FMT
                   " holds no time that can be read: the record has the time of reading",
                   SL_SPAN_ARG(name), rec->origin, SL_SPAN_ARG(source));
}

/* Counts what came of a line or field. True when it is a record. */
static bool settle(parse_filter *self, sl_batch *batch, sl_record *rec, const parse_result *result)
{
    if (SL_UNLIKELY(result->reason != 0)) {
        fail(self, batch, rec, result);
        return false;
    }
    if (SL_UNLIKELY(result->replaced > 0)) note_repair(self, batch, rec);
    if (SL_UNLIKELY(result->unconverted > 0)) sl_counter_add(self->unconverted, result->unconverted);
    switch (result->time) {
    case PARSE_TIME_FOUND: break;
    case PARSE_TIME_NONE: sl_counter_add(self->time_none, 1); break;
    case PARSE_TIME_BAD: note_bad_time(self, batch, rec, result->bad_time); break;
    }
    return true;
}

static void strip_bom(sl_record *rec)
{
    if (rec->len >= 3 && memcmp(rec->text, BOM, 3) == 0) {
        rec->text += 3;
        rec->len -= 3;
    }
}

static bool parse_line(parse_filter *self, sl_batch *batch, sl_record *rec, parse_run *run)
{
    const parse_conf *conf = self->conf;
    if (!(rec->flags & SL_RECORD_RAW) && !sl_record_unwrap(batch, rec)) return false;
    strip_bom(rec);
    parse_result result =
        conf->groups ? parse_regex_line(conf, run, batch, rec) : parse_json_line(conf, batch, rec);
    if (SL_UNLIKELY(result.reason == SL_JSON_EMPTY)) {
        sl_counter_add(self->empty, 1);
        sl_record_set_fate(batch, rec, SL_FATE_FILTERED, NULL);
        return false;
    }
    return settle(self, batch, rec, &result);
}

static bool parse_field(parse_filter *self, sl_batch *batch, sl_record *rec)
{
    const parse_conf *conf = self->conf;
    parse_result result =
        conf->groups ? parse_regex_field(conf, batch, rec) : parse_json_field(conf, batch, rec);
    return result.reason != SL_JSON_EMPTY && settle(self, batch, rec, &result);
}

static void apply(void *arg, sl_batch *batch)
{
    parse_filter *self = arg;
    const parse_conf *conf = self->conf;
    parse_run run = {0};
    uint64_t parsed = 0;
    if (conf->groups) run = parse_regex_run(conf->groups, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        sl_record *rec = &batch->recs[i];
        if (rec->fate != SL_FATE_LIVE) continue;
        parsed += conf->field ? parse_field(self, batch, rec) : parse_line(self, batch, rec, &run);
    }
    sl_counter_add(self->parsed, parsed);
}

static const sl_filter_ops ops = {.start = start, .apply = apply, .free = sl_free};

const sl_plugin sl_filter_parse = {
    .abi = SL_ABI_VERSION,
    .kind = SL_PLUGIN_FILTER,
    .name = "parse",
    .help = "Makes records of lines: JSON objects, access lines, or what a pattern takes apart; with the "
            "time from one of "
            "their fields.",
    .options = options,
    .conf_size = sizeof(parse_conf),
    .check = check,
    .conf_release = conf_release,
    .filter = &ops,
};
