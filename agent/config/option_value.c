/* option_value.c: one YAML scalar (or map, for MAP) to the C value that a row's type names.
 *
 * Messages repeat a value only when it was written in the file and is no secret: what came from the
 * environment or a file is called by where it came from.
 */
#include "options_int.h"
#include "secrets.h"
#include <sluice/record.h>

#define SHOWN_MAX 60 /* bytes of a value in a message */

typedef struct value_type {
    const char *noun;    /* "a size" */
    const char *example; /* "64MiB"; NULL: none */
    size_t size;
    void (*read)(const sl_option__input *in, void *field);
} value_type;

static const value_type *type_of(const sl_option *row);

/* ---- messages ---- */

void sl_option__hide(const sl_option_context *ctx, const sl_node *node)
{
    if (!node->reference) sl_problems_hide(ctx->problems, node->mark);
}

/* The value as a message may show it. */
void sl_option__write_shown(const sl_option__input *in, sl_buf *out)
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
void sl_option__refuse_value(const sl_option__input *in, const char *hint)
{
    sl_buf noun = SL_BUF_NONE, shown = SL_BUF_NONE;
    sl_option_write_noun(in->row, &noun);
    sl_option__write_shown(in, &shown);
    sl_problems_error(in->ctx->problems, in->node->mark, hint,
                      "`%s` must be " SL_SPAN_FMT ", not " SL_SPAN_FMT, in->row->name, SL_SPAN_ARG(noun),
                      SL_SPAN_ARG(shown));
    sl_buf_release(&noun);
    sl_buf_release(&shown);
}

/* ---- one function a type ---- */

static void read_string(const sl_option__input *in, void *field)
{
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, in->text, in->node->secret);
}

static void read_secret(const sl_option__input *in, void *field)
{
    sl_option__hide(in->ctx, in->node);
    if (in->text.len == 0 && in->node->substituted)
        sl_problems_error(in->ctx->problems, in->node->mark,
                          "put the secret into the variable or file that is named here", "`%s` is empty",
                          in->row->name);
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, in->text, true);
}

static void read_json(const sl_option__input *in, void *field)
{
    sl_buf out = SL_BUF_NONE;
    sl_node_write_json(in->node, &out);
    *(sl_span *)field = sl_conf_memory_dup(in->ctx->memory, sl_buf_span(&out), false);
    sl_buf_release(&out);
}

/* ---- maps from text to text ---- */

static void read_pairs(const sl_option__input *in, void *field)
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

/* ---- the table ---- */

static const value_type types[] = {
    [SL_OPT_BOOL] = {"`true` or `false`", "true", sizeof(bool), sl_option__read_bool},
    [SL_OPT_INT] = {"a whole number", "10", sizeof(int64_t), sl_option__read_int},
    [SL_OPT_FLOAT] = {"a number", "0.5", sizeof(double), sl_option__read_float},
    [SL_OPT_SIZE] = {"a size", "64MiB", sizeof(uint64_t), sl_option__read_size},
    [SL_OPT_DURATION] = {"a duration", "5s", sizeof(int64_t), sl_option__read_duration},
    [SL_OPT_FRACTION] = {"a fraction", "5%", sizeof(double), sl_option__read_fraction},
    [SL_OPT_STRING] = {"text", NULL, sizeof(sl_span), read_string},
    [SL_OPT_SECRET] = {"text", "\"${file:/run/secrets/name}\"", sizeof(sl_span), read_secret},
    [SL_OPT_ENUM] = {"", NULL, sizeof(int), sl_option__read_enum},
    [SL_OPT_PATH] = {"a field path", "user.email", sizeof(sl_path *), sl_option__read_path},
    [SL_OPT_TEMPLATE] = {"a template", "logs-{{ service }}-%Y.%m.%d", sizeof(sl_template *),
                         sl_option__read_template},
    [SL_OPT_CONDITION] = {"a condition", "statusCode >= 500 and exists(user.id)", sizeof(sl_condition *),
                          sl_option__read_condition},
    [SL_OPT_REGEX] = {"a regular expression", "'[0-9]+'", sizeof(sl_regex *), sl_option__read_regex},
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

const char *sl_option__noun(const sl_option *row)
{
    return type_of(row)->noun;
}

size_t sl_option__size(const sl_option *row)
{
    return row->type == SL_OPT_GROUP ? row->row_size : type_of(row)->size;
}

void sl_option__read_value(const sl_option_context *ctx, const sl_option *row, const sl_node *node,
                           void *field)
{
    if (node->bad) return;
    sl_option__input in = {ctx, row, node, node->type == SL_NODE_SCALAR ? node->text : SL_SPAN_NONE};
    bool any_node = row->type == SL_OPT_JSON || row->type == SL_OPT_MAP;
    if (!any_node && (node->type != SL_NODE_SCALAR || sl_node_is_null(node)))
        sl_option__refuse_type(ctx, row, node);
    else
        type_of(row)->read(&in, field);
}
