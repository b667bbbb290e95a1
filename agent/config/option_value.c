/* option_value.c: one YAML scalar (or map, for MAP) to the C value that a row's type names.
 *
 * Messages repeat a value only when it was written in the file and is no secret: what came from the
 * environment or a file is called by where it came from.
 */
#include "../base/units.h"
#include "options_int.h"
#include "secrets.h"
#include "suggest.h"
#include <errno.h>
#include <sluice/json.h>
#include <sluice/record.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_MAX 60 /* bytes of a value in a message */

/* One value on its way. */
typedef struct input {
    const sl_option_context *ctx;
    const sl_option *row;
    const sl_node *node;
    sl_span text; /* the node's, when it is a scalar */
} input;

typedef struct value_type {
    const char *noun;    /* "a size" */
    const char *example; /* "64MiB"; NULL: none */
    size_t size;
    void (*read)(const input *in, void *field);
} value_type;

static const value_type *type_of(const sl_option *row);

/* ---- messages
 * ---------------------------------------------------------------------------------------------- */

void sl_option__hide(const sl_option_context *ctx, const sl_node *node)
{
    if (!node->reference) sl_problems_hide(ctx->problems, node->mark);
}

/* The value as a message may show it. */
static void write_shown(const input *in, sl_buf *out)
{
    if (in->row->type == SL_OPT_SECRET || in->node->substituted) {
        sl_buf_append_cstr(out, in->text.len ? "the value put in for `${…}`"
                                             : "the empty value put in for `${…}`");
        return;
    }
    sl_buf_append_char(out, '`');
    sl_buf_append_shown(out, in->text, SHOWN_MAX);
    sl_buf_append_char(out, '`');
}

void sl_option_write_noun(const sl_option *row, sl_buf *out)
{
    const char *noun = type_of(row)->noun;
    sl_buf_append_cstr(out, noun);
    for (const char *const *name = row->names; name && *name; name++) {
        const char *before = name == row->names && !*noun ? "" : name[1] ? ", " : " or ";
        sl_buf_printf(out, "%s`%s`", before, *name);
    }
}

const char *sl_option_example(const sl_option *row)
{
    if (row->type == SL_OPT_ENUM) return row->names[0];
    return type_of(row)->example;
}

void sl_option__refuse_type(const sl_option_context *ctx, const sl_option *row, const sl_node *node)
{
    if (node->bad) return;
    if (sl_option_holds_secret(row)) sl_option__hide(ctx, node);
    sl_buf noun = SL_BUF_NONE, hint = SL_BUF_NONE;
    sl_option_write_noun(row, &noun);
    const char *example = sl_option_example(row);
    if (example) sl_buf_printf(&hint, "such as `%s: %s`", row->name, example);
    sl_problems_error(ctx->problems, node->mark, example ? sl_buf_cstr(&hint) : NULL,
                      "`%s` must be " SL_SPAN_FMT ", not %s", row->name, SL_SPAN_ARG(noun),
                      sl_node_noun(node));
    sl_buf_release(&noun);
    sl_buf_release(&hint);
}

/* `x` must be a size, not `12x`. */
static void refuse_value(const input *in, const char *hint)
{
    sl_buf noun = SL_BUF_NONE, shown = SL_BUF_NONE;
    sl_option_write_noun(in->row, &noun);
    write_shown(in, &shown);
    sl_problems_error(in->ctx->problems, in->node->mark, hint,
                      "`%s` must be " SL_SPAN_FMT ", not " SL_SPAN_FMT, in->row->name, SL_SPAN_ARG(noun),
                      SL_SPAN_ARG(shown));
    sl_buf_release(&noun);
    sl_buf_release(&shown);
}

/* The nearest of the row's names as a hint; "" when none is near. */
static const char *hint_name(const input *in, char hint[SL_SUGGEST_MAX + 32])
{
    sl_suggest s = sl_suggest_for(in->text);
    for (const char *const *name = in->row->names; name && *name; name++)
        sl_suggest_offer(&s, *name);
    if (!s.best || in->node->substituted) return NULL;
    snprintf(hint, SL_SUGGEST_MAX + 32, "did you mean `%s`?", s.best);
    return hint;
}

/* ---- ranges
 * ------------------------------------------------------------------------------------------------ */

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
static void check_range(const input *in, double value)
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
    write_shown(in, &shown);
    sl_problems_error(in->ctx->problems, in->node->mark, NULL,
                      "`%s` must be " SL_SPAN_FMT ", not " SL_SPAN_FMT, row->name, SL_SPAN_ARG(range),
                      SL_SPAN_ARG(shown));
    sl_buf_release(&range);
    sl_buf_release(&shown);
}

/* One of the words that may stand instead of a value: its field value, or 0. */
static int64_t read_word(const input *in)
{
    for (int64_t i = 0; in->row->names && in->row->names[i]; i++) {
        if (sl_span_is_cstr(in->text, in->row->names[i])) return -1 - i;
    }
    return 0;
}

/* ---- one function a type
 * ----------------------------------------------------------------------------------- */

static void read_bool(const input *in, void *field)
{
    if (sl_span_is_cstr(in->text, "true"))
        *(bool *)field = true;
    else if (sl_span_is_cstr(in->text, "false"))
        *(bool *)field = false;
    else
        refuse_value(in, "write `true` or `false`; `yes`, `on` and `1` are not taken");
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

static void read_int(const input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    int64_t value = read_word(in);
    if (value == 0 && !parse_int(in->text, &value)) {
        refuse_value(in, hint_name(in, hint));
        return;
    }
    if (!(in->row->names && read_word(in))) check_range(in, (double)value);
    *(int64_t *)field = value;
}

static void read_float(const input *in, void *field)
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
        refuse_value(in, NULL);
        return;
    }
    check_range(in, value);
    *(double *)field = value;
}

static void read_size(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    uint64_t value = 0;
    if (sl_size_parse(in->text, &value, &err) < 0) {
        refuse_value(in, err.text);
        return;
    }
    check_range(in, (double)value);
    *(uint64_t *)field = value;
}

static void read_duration(const input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    sl_err err = SL_ERR_NONE;
    int64_t value = read_word(in);
    if (value == 0 && sl_duration_parse(in->text, &value, &err) < 0) {
        const char *near = hint_name(in, hint);
        refuse_value(in, near ? near : err.text);
        return;
    }
    if (value >= 0) check_range(in, (double)value);
    *(int64_t *)field = value;
}

static void read_fraction(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    double value = 0;
    if (sl_fraction_parse(in->text, &value, &err) < 0) {
        refuse_value(in, err.text);
        return;
    }
    check_range(in, value);
    *(double *)field = value;
}

static void read_string(const input *in, void *field)
{
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, in->text, in->node->secret);
}

static void read_secret(const input *in, void *field)
{
    sl_option__hide(in->ctx, in->node);
    if (in->text.len == 0 && in->node->substituted)
        sl_problems_error(in->ctx->problems, in->node->mark,
                          "put the secret into the variable or file that is named here", "`%s` is empty",
                          in->row->name);
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, in->text, true);
}

static void read_enum(const input *in, void *field)
{
    char hint[SL_SUGGEST_MAX + 32];
    int64_t word = read_word(in);
    if (word == 0)
        refuse_value(in, hint_name(in, hint));
    else
        *(int *)field = (int)(-1 - word);
}

/* A parser's error reads "column N: what is wrong": the column moves the mark, the rest is the message. */
static void refuse_expression(const input *in, const sl_err *err)
{
    sl_mark mark = in->node->mark;
    const char *what = err->text;
    unsigned column = 0;
    int used = 0;
    if (sscanf(err->text, "column %u: %n", &column, &used) == 1 && used > 0) {
        what += used;
        if (!in->node->substituted && mark.line == mark.end_line && column > 0) {
            uint32_t shift = in->node->quoted ? 1 : 0;
            for (size_t i = 0; i + 1 < column && i < in->text.len; i++)
                shift += ((unsigned char)in->text.ptr[i] & 0xC0) != 0x80;
            mark.column += shift;
            mark.end_line = 0;
        }
    }
    char hint[160];
    snprintf(hint, sizeof hint, "%s looks like `%s`", type_of(in->row)->noun, type_of(in->row)->example);
    sl_buf shown = SL_BUF_NONE;
    write_shown(in, &shown);
    if (in->node->substituted)
        sl_problems_error(in->ctx->problems, mark, hint, "`%s` must be %s, not " SL_SPAN_FMT, in->row->name,
                          type_of(in->row)->noun, SL_SPAN_ARG(shown));
    else
        sl_problems_error(in->ctx->problems, mark, hint, "`%s`: %s", in->row->name, what);
    sl_buf_release(&shown);
}

/* Keeps a parsed expression, or says why it could not be parsed. */
static void keep(const input *in, void *parsed, void (*release)(void *), const sl_err *err, void *field)
{
    if (!parsed) {
        refuse_expression(in, err);
        return;
    }
    sl_conf_memory_own(in->ctx->memory, parsed, release);
    *(void **)field = parsed;
}

static void free_path(void *path)
{
    sl_path_free(path);
}

static void free_template(void *tpl)
{
    sl_template_free(tpl);
}

static void free_condition(void *cond)
{
    sl_condition_free(cond);
}

static void free_regex(void *regex)
{
    sl_regex_free(regex);
}

static void read_path(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_path_parse(in->text, &err), free_path, &err, field);
}

static void read_template(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_template_parse(in->text, &err), free_template, &err, field);
}

static void read_condition(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_condition_parse(in->text, &err), free_condition, &err, field);
}

static void read_regex(const input *in, void *field)
{
    sl_err err = SL_ERR_NONE;
    keep(in, sl_regex_parse(in->text, &err), free_regex, &err, field);
}

static void read_json(const input *in, void *field)
{
    sl_buf out = SL_BUF_NONE;
    sl_node_write_json(in->node, &out);
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, sl_buf_span(&out), false);
    sl_buf_release(&out);
}

/* ---- maps from text to text
 * -------------------------------------------------------------------------------- */

static void read_pairs(const input *in, void *field)
{
    if (in->node->type != SL_NODE_MAP) {
        sl_option__refuse_type(in->ctx, in->row, in->node);
        return;
    }
    sl_opt_pair *pairs = sl_arena_zalloc(&in->ctx->memory->arena, (in->node->count + 1) * sizeof *pairs);
    for (uint32_t i = 0; i < in->node->count; i++) {
        const sl_member *member = &in->node->members[i];
        if (member->value->type != SL_NODE_SCALAR || sl_node_is_null(member->value)) {
            sl_problems_error(in->ctx->problems, member->value->mark,
                              "write `name: text`; empty text is `\"\"`",
                              "`%.64s` in `%s` must be text, not %s", member->key.ptr, in->row->name,
                              sl_node_noun(member->value));
            continue;
        }
        bool secret = member->value->secret || sl_key_is_secret(member->key);
        pairs[i].key = sl_conf_memory_dup(in->ctx->memory, member->key, false);
        pairs[i].value = sl_conf_memory_dup(in->ctx->memory, member->value->text, secret);
    }
    *(sl_list *)field = (sl_list){pairs, in->node->count};
}

/* ---- the table
 * --------------------------------------------------------------------------------------------- */

static const value_type types[] = {
    [SL_OPT_BOOL] = {"`true` or `false`", "true", sizeof(bool), read_bool},
    [SL_OPT_INT] = {"a whole number", "10", sizeof(int64_t), read_int},
    [SL_OPT_FLOAT] = {"a number", "0.5", sizeof(double), read_float},
    [SL_OPT_SIZE] = {"a size", "64MiB", sizeof(uint64_t), read_size},
    [SL_OPT_DURATION] = {"a duration", "5s", sizeof(int64_t), read_duration},
    [SL_OPT_FRACTION] = {"a fraction", "5%", sizeof(double), read_fraction},
    [SL_OPT_STRING] = {"text", NULL, sizeof(sl_span), read_string},
    [SL_OPT_SECRET] = {"text", "\"${file:/run/secrets/name}\"", sizeof(sl_span), read_secret},
    [SL_OPT_ENUM] = {"", NULL, sizeof(int), read_enum},
    [SL_OPT_PATH] = {"a field path", "user.email", sizeof(sl_path *), read_path},
    [SL_OPT_TEMPLATE] = {"a template", "logs-{{ service }}-%Y.%m.%d", sizeof(sl_template *), read_template},
    [SL_OPT_CONDITION] = {"a condition", "statusCode >= 500 and exists(user.id)", sizeof(sl_condition *),
                          read_condition},
    [SL_OPT_REGEX] = {"a regular expression", "'[0-9]+'", sizeof(sl_regex *), read_regex},
    [SL_OPT_JSON] = {"any value", NULL, sizeof(sl_span), read_json},
    [SL_OPT_GROUP] = {"a map of options", NULL, 0, NULL},
    [SL_OPT_MAP] = {"a map from names to text", "{name: text}", sizeof(sl_list), read_pairs},
};

static const value_type *type_of(const sl_option *row)
{
    if ((size_t)row->type >= SL_LEN(types) || !types[row->type].noun)
        sl_bug("option `%s` has no type", row->name);
    return &types[row->type];
}

size_t sl_option__size(const sl_option *row)
{
    return row->type == SL_OPT_GROUP ? row->row_size : type_of(row)->size;
}

void sl_option__read_value(const sl_option_context *ctx, const sl_option *row, const sl_node *node,
                           void *field)
{
    if (node->bad) return;
    input in = {ctx, row, node, node->type == SL_NODE_SCALAR ? node->text : SL_SPAN_NONE};
    bool any_node = row->type == SL_OPT_JSON || row->type == SL_OPT_MAP;
    if (!any_node && (node->type != SL_NODE_SCALAR || sl_node_is_null(node)))
        sl_option__refuse_type(ctx, row, node);
    else
        type_of(row)->read(&in, field);
}
