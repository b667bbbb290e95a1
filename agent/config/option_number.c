/* option_number.c: values that are one of a few words or a number with a range. */
#include "../base/units.h"
#include "options_int.h"
#include "suggest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The nearest of the row's names as a hint; "" when none is near. */
static const char *hint_name(const sl_option__input *in, char hint[SL_SUGGEST_MAX + 32])
{
    sl_suggest s = sl_suggest_for(in->text);
    for (const char *const *name = in->row->names; name && *name; name++)
        sl_suggest_offer(&s, *name);
    if (!s.best || in->node->substituted) return NULL;
    snprintf(hint, SL_SUGGEST_MAX + 32, "did you mean `%s`?", s.best);
    return hint;
}

/* ---- ranges ---- */

static void write_number(const sl_option *row, double value, sl_buf *out)
{
    switch (row->type) {
    case SL_OPT_SIZE: sl_size_format(out, (uint64_t)value); break;
    case SL_OPT_DURATION: sl_duration_format(out, (int64_t)value); break;
    case SL_OPT_FRACTION: sl_fraction_format(out, value); break;
    default: sl_buf_printf(out, "%.15g", value);
    }
}

/* Adds a problem when the value is outside the row's range. */
static void check_range(const sl_option__input *in, double value)
{
    const sl_option *row = in->row;
    bool has_min = row->min != 0 || row->max != 0, has_max = row->max != 0;
    if ((!has_min || value >= row->min) && (!has_max || value <= row->max)) return;
    sl_buf range = SL_BUF_NONE, shown = SL_BUF_NONE;
    if (has_max && row->min != 0) {
        sl_buf_append_cstr(&range, "from ");
        write_number(row, row->min, &range);
        sl_buf_append_cstr(&range, " to ");
        write_number(row, row->max, &range);
    } else {
        sl_buf_append_cstr(&range, has_max && value > row->max ? "at most " : "at least ");
        write_number(row, has_max && value > row->max ? row->max : row->min, &range);
    }
    sl_option__write_shown(in, &shown);
    sl_problems_error(in->ctx->problems, in->node->mark, NULL,
                      "`%s` must be " SL_SPAN_FMT ", not " SL_SPAN_FMT, row->name, SL_SPAN_ARG(range),
                      SL_SPAN_ARG(shown));
    sl_buf_release(&range);
    sl_buf_release(&shown);
}

/* One of the words that may stand instead of a value: its field value, or 0. */
static int64_t read_word(const sl_option__input *in)
{
    for (int64_t i = 0; in->row->names && in->row->names[i]; i++) {
        if (sl_span_is_cstr(in->text, in->row->names[i])) return -1 - i;
    }
    return 0;
}

/* ---- one function a type ---- */

void sl_option__read_bool(const sl_option__input *in, void *field)
{
    if (sl_span_is_cstr(in->text, "true"))
        *(bool *)field = true;
    else if (sl_span_is_cstr(in->text, "false"))
        *(bool *)field = false;
    else
        sl_option__refuse_value(in, "write `true` or `false`; `yes`, `on` and `1` are not taken");
}

static bool parse_int(sl_span text, int64_t *out)
{
    char copy[24];
    if (text.len == 0 || text.len >= sizeof copy) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool sign = i == 0 && text.len > 1 && (text.ptr[0] == '-' || text.ptr[0] == '+');
        if (!sign && (text.ptr[i] < '0' || text.ptr[i] > '9')) return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    errno = 0;
    *out = strtoll(copy, NULL, 10);
    return errno == 0;
}

void sl_option__read_int(const sl_option__input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    int64_t value = read_word(in);
    if (value == 0 && !parse_int(in->text, &value)) {
        sl_option__refuse_value(in, hint_name(in, hint));
        return;
    }
    if (!(in->row->names && read_word(in))) check_range(in, (double)value);
    *(int64_t *)field = value;
}

void sl_option__read_float(const sl_option__input *in, void *field)
{
    char copy[64], *end = copy;
    bool plain = in->text.len > 0 && in->text.len < sizeof copy;
    for (size_t i = 0; plain && i < in->text.len; i++)
        plain = strchr("0123456789.eE+-", in->text.ptr[i]) != NULL;
    double value = 0;
    if (plain) {
        memcpy(copy, in->text.ptr, in->text.len);
        copy[in->text.len] = '\0';
        value = strtod(copy, &end);
    }
    if (!plain || *end != '\0' || value - value != 0) { /* the last: infinite */
        sl_option__refuse_value(in, NULL);
        return;
    }
    check_range(in, value);
    *(double *)field = value;
}

void sl_option__read_size(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    uint64_t value = 0;
    if (sl_size_parse(in->text, &value, &err) < 0) {
        sl_option__refuse_value(in, err.text);
        return;
    }
    check_range(in, (double)value);
    *(uint64_t *)field = value;
}

void sl_option__read_duration(const sl_option__input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    sl_err err = SL_ERR_NONE;
    int64_t value = read_word(in);
    if (value == 0 && sl_duration_parse(in->text, &value, &err) < 0) {
        const char *near = hint_name(in, hint);
        sl_option__refuse_value(in, near ? near : err.text);
        return;
    }
    if (value >= 0) check_range(in, (double)value);
    *(int64_t *)field = value;
}

void sl_option__read_fraction(const sl_option__input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    double value = 0;
    if (sl_fraction_parse(in->text, &value, &err) < 0) {
        sl_option__refuse_value(in, err.text);
        return;
    }
    check_range(in, value);
    *(double *)field = value;
}

void sl_option__read_enum(const sl_option__input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    int64_t word = read_word(in);
    if (word == 0)
        sl_option__refuse_value(in, hint_name(in, hint));
    else
        *(int *)field = (int)(-1 - word);
}
